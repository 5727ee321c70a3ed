import { unprintable } from "../formats/text.ts";

/** Classes of data sets of digits, by label. */
export const digitNames: readonly string[] = Array.from({ length: 10 }, (_, digit) => `${digit}`);

/** Classes of CIFAR-10, by label. */
export const cifar10ClassNames: readonly string[] =
  "airplane automobile bird cat deer dog frog horse ship truck".split(" ");

/** Fine classes of CIFAR-100, by label. */
export const cifar100ClassNames: readonly string[] = [
  "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can",
  "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin",
  "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster",
  "man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck",
  "pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk",
  "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger",
  "tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm",
].join(" ").split(" ");

/** Classes of Fashion-MNIST, by label. */
export const fashionClassNames: readonly string[] = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

const mostShownNames = 6;
const longestShownName = 24;

/** A class's name without characters that a terminal would obey, or that no SVG may have. */
export function cleanName(name: string): string {
  return name.replaceAll(unprintable, "\ufffd");
}

/** A few of many names, for a message on one line. */
export function shortList(names: readonly string[]): string {
  const shown = names.slice(0, mostShownNames).map(cleanName).map((name) =>
    name.length > longestShownName ? `${name.slice(0, longestShownName)}…` : name
  );
  return names.length > mostShownNames
    ? `${shown.join(", ")} and ${names.length - mostShownNames} more`
    : shown.join(", ");
}
