import { DataError } from "../../errors.ts";
import { permutation, Purpose, RandomStream } from "../../random/philox.ts";
import { printable } from "../../formats/text.ts";
import { baseName, readIfPresent } from "../files.ts";
import { LeftOut } from "./left_out.ts";
import { picturesOf, type PictureTree, readPictureTree, unreadOf } from "./tree.ts";

/** The split belongs to the folder, not to a run. */
const splitSeed = 0;
/** First random stream of the split. Each class has its own. */
const firstStream = 16;
/** Folders of one set are called `train`, `Training`, `train_set` and the like. */
const trainName = /^train(ing)?([ _-]?(set|data))?$/i;
/** In order of preference. */
const testNames: readonly RegExp[] = [
  /^test(ing)?([ _-]?(set|data))?$/i,
  /^val(id|idation)?([ _-]?(set|data))?$/i,
  /^(eval|evaluation|dev)([ _-]?(set|data))?$/i,
];
/** Bytes of a file of annotations: TinyImageNet's 10,000 lines have 400 kB. */
const mostAnnotationBytes = 2 ** 24;
/** Classes that a summary names. */
const mostNamed = 10;

/** A picture and its class. */
export interface LabelledPicture {
  readonly path: string;
  readonly label: number;
}

/** A folder's pictures. */
export interface PictureClasses {
  readonly classNames: readonly string[];
  readonly train: readonly LabelledPicture[];
  readonly test: readonly LabelledPicture[];
  /** What was found, used and left out, on one line. */
  readonly summary: string;
}

/** Pictures by class, in the order of the classes' names. */
interface Labelled {
  readonly classNames: readonly string[];
  readonly pictures: readonly LabelledPicture[];
}

/**
 * Lists a folder's pictures by class, like torchvision's ImageFolder: a class is a sub-folder with all pictures below
 * it. Pictures beside class folders are left out. A folder with pictures directly in it, and none in sub-folders, is
 * one class. If it has a folder for training and one for testing (or validation), these are the two sets; else a share
 * of each class is held out, drawn at random but always the same.
 * @param testShare share of each class that is held out: rounded, at least one picture, and not all
 * @throws {DataError} if there are too few pictures, or the folder contradicts itself.
 */
export async function listPictureClasses(folder: string, testShare: number): Promise<PictureClasses> {
  const root = unwrap(await readPictureTree(folder));
  const leftOut = new LeftOut();
  const sets = setFolders(root);
  const train = classesOf(sets?.train ?? root, root.name, leftOut);
  if (train.pictures.length === 0) throw nothingIn(folder, root);
  const given = sets && await testSet(sets.tests, train, root.name, leftOut);
  if (sets) {
    leftOut.besideClasses(root);
    for (const other of root.folders) {
      if (other !== sets.train && !sets.tests.includes(other)) leftOut.unused(other);
    }
  }
  if (given) {
    const found = `${describe(train)} in ${printable(sets.train.name)}/, ` +
      `${count(given.pictures.length)} in ${printable(given.folder)}/ for testing${lacking(train, given)}`;
    return { ...train, train: train.pictures, test: given.pictures, summary: found + leftOut.describe() };
  }
  const divided = holdOut(train, testShare);
  const found = `${describe(train)}, ${count(divided.test.length)} held out for testing`;
  return { classNames: train.classNames, ...divided, summary: found + leftOut.describe() };
}

/** The folder in a folder of the same name, because archives often unpack into a folder of their own. */
function unwrap(tree: PictureTree): PictureTree {
  const [only, ...others] = tree.folders.filter(hasPictures);
  if (!only || others.length > 0 || tree.pictures.length > 0) return tree;
  return only.name === tree.name || setFolders(only)?.tests.length ? unwrap(only) : tree;
}

function hasPictures(tree: PictureTree): boolean {
  return tree.pictures.length > 0 || tree.folders.some(hasPictures);
}

interface SetFolders {
  readonly train: PictureTree;
  readonly tests: readonly PictureTree[];
}

/** The folders of a training set and of test sets, if a folder is divided like that. */
function setFolders({ folders, pictures }: PictureTree): SetFolders | undefined {
  const train = folders.find(({ name }) => trainName.test(name));
  const tests = testNames.flatMap((pattern) => folders.filter(({ name }) => pattern.test(name)));
  const isAlone = pictures.length === 0 && folders.filter(hasPictures).length === 1;
  return train && hasPictures(train) && (tests.length > 0 || isAlone)
    ? { train: unwrap(train), tests: tests.map(unwrap) }
    : undefined;
}

function classesOf(tree: PictureTree, flatName: string, leftOut: LeftOut): Labelled {
  const classes = tree.folders.filter(hasPictures);
  if (classes.length === 0) {
    leftOut.files(tree);
    for (const empty of tree.folders) leftOut.below(empty);
    return { classNames: [flatName], pictures: tree.pictures.map((path) => ({ path, label: 0 })) };
  }
  for (const empty of tree.folders) {
    const unread = hasPictures(empty) ? [] : unreadOf(empty);
    if (unread.length > 0) {
      throw new DataError(
        `images: all pictures of class ${printable(empty.name)} are of formats that are not read (${
          [...new Set(unread)].join(", ")
        }); convert them to PNG or JPEG, or remove the folder`,
      );
    }
  }
  leftOut.besideClasses(tree);
  for (const own of tree.folders) leftOut.below(own);
  return {
    classNames: classes.map(({ name }) => name),
    pictures: classes.flatMap((own, label) => picturesOf(own).map((path) => ({ path, label }))),
  };
}

/** The pictures of the first test folder whose classes are known. */
async function testSet(
  tests: readonly PictureTree[],
  train: Labelled,
  flatName: string,
  leftOut: LeftOut,
): Promise<Labelled & { folder: string } | undefined> {
  let found: Labelled & { folder: string } | undefined;
  for (const tree of tests) {
    const labelled = found || !hasPictures(tree)
      ? undefined
      : await annotated(tree, train.classNames) ?? sameClasses(tree, train, flatName, leftOut);
    if (labelled) found = { ...labelled, folder: tree.name };
    else leftOut.unused(tree);
  }
  return found;
}

/** A test folder's pictures, labelled by the training set's classes; undefined if the folder has no classes. */
function sameClasses(
  tree: PictureTree,
  train: Labelled,
  flatName: string,
  leftOut: LeftOut,
): Labelled | undefined {
  const folders = tree.folders.filter(hasPictures).map(({ name }) => name);
  const strange = folders.find((name) => !train.classNames.includes(name));
  // Pictures without labels lie directly in the folder, or in one folder in it.
  const hasClasses = train.classNames.length > 1 || train.classNames[0] !== flatName;
  const isOneFolder = folders.length === 1 && strange !== undefined && train.classNames.length > 1;
  if (hasClasses && (folders.length === 0 || isOneFolder)) return undefined;
  if (strange !== undefined) {
    throw new DataError(
      `images: the training and the test set have other classes: there is no training picture of ${
        printable(strange)
      }, which is in ${printable(tree.name)}`,
    );
  }
  const own = classesOf(tree, flatName, leftOut);
  const labels = own.classNames.map((name) => train.classNames.indexOf(name));
  return {
    classNames: train.classNames,
    pictures: own.pictures.map(({ path, label }) => ({ path, label: labels[label]! })),
  };
}

/**
 * The pictures of TinyImageNet's `val`, whose classes are in a text file: a picture's name, a tab and its class on each
 * line. Undefined if there is no such file.
 */
async function annotated(
  tree: PictureTree,
  classNames: readonly string[],
): Promise<Labelled | undefined> {
  const path = `${tree.path}/val_annotations.txt`;
  const bytes = await readIfPresent(path, mostAnnotationBytes);
  if (!bytes) return undefined;
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/).map((line) => line.split("\t", 2));
  const classOf = new Map(lines.map(([picture, className]) => [picture, className]));
  const pictures = picturesOf(tree).map((picture) => {
    const label = classNames.indexOf(classOf.get(baseName(picture)) ?? "");
    if (label >= 0) return { path: picture, label };
    throw new DataError(
      `${path}: ${baseName(picture)} has no class, or one that there is no training picture of`,
    );
  });
  return { classNames, pictures };
}

/** Divides each class at random. */
function holdOut(
  { classNames, pictures }: Labelled,
  share: number,
): Pick<PictureClasses, "train" | "test"> {
  const held = new Set<LabelledPicture>();
  for (const [label, own] of Map.groupBy(pictures, (picture) => picture.label)) {
    const order = permutation(new RandomStream(splitSeed, Purpose.split, firstStream + label), own.length);
    const test = Math.min(own.length - 1, Math.max(1, Math.round(own.length * share)));
    for (const index of order.subarray(0, test)) held.add(own[index]!);
  }
  if (held.size === 0) {
    throw new DataError(
      `images: ${
        describe({ classNames, pictures })
      }; at least two of a class are needed, one to train and one to test`,
    );
  }
  return {
    train: pictures.filter((picture) => !held.has(picture)),
    test: pictures.filter((picture) => held.has(picture)),
  };
}

function nothingIn(folder: string, root: PictureTree): DataError {
  const unread = new Set(unreadOf(root));
  const found = unread.size > 0 ? `, but ${[...unread].join(", ")}, which are not read` : "";
  return new DataError(
    `images: no PNG or JPEG pictures in ${folder}${found}; expected a sub-folder of them for each class`,
  );
}

/** Number of classes, their names and sizes, number of pictures. */
function describe({ classNames, pictures }: Labelled): string {
  const sizes = new Uint32Array(classNames.length);
  for (const { label } of pictures) sizes[label]!++;
  const named = classNames.slice(0, mostNamed).map((name, i) => `${printable(name)} ${count(sizes[i]!)}`)
    .join(", ");
  const more = classNames.length > mostNamed ? ", …" : "";
  return `${count(classNames.length)} ${classNames.length === 1 ? "class" : "classes"} (${named}${more}), ${
    count(pictures.length)
  } ${pictures.length === 1 ? "picture" : "pictures"}`;
}

/** Classes of the training set without pictures in a test set. */
function lacking({ classNames }: Labelled, { pictures }: Labelled): string {
  const tested = new Set(pictures.map(({ label }) => label));
  const names = classNames.filter((_, label) => !tested.has(label)).map(printable);
  return names.length === 0
    ? ""
    : ` (none of ${names.slice(0, mostNamed).join(", ")}${names.length > mostNamed ? ", …" : ""})`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}
