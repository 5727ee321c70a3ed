import type { DatasetName } from "../dataset.ts";

/** A file of an official distribution. */
export interface RemoteFile {
  readonly url: string;
  readonly name: string;
  /** Published checksum, in lower-case hexadecimal digits. */
  readonly md5: string;
  /** Published length. Reading stops there if a server sends without end. */
  readonly bytes: number;
}

const toronto = "https://www.cs.toronto.edu/~kriz/";
const stanford = "http://ufldl.stanford.edu/housenumbers/";
/** The copy that torchvision uses, because the original address sometimes asks for a password. */
const mnist = "https://ossci-datasets.s3.amazonaws.com/mnist/";
const fashion = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";

function file(base: string, name: string, md5: string, bytes: number): RemoteFile {
  return { url: base + name, name, md5, bytes };
}

/** What `./run data` downloads, with the checksums that the authors (torchvision's for SVHN) publish. */
export const remoteFiles: Readonly<Partial<Record<DatasetName, readonly RemoteFile[]>>> = {
  cifar10: [file(toronto, "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170_052_171)],
  cifar100: [file(toronto, "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733)],
  svhn: [
    file(stanford, "train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373", 182_040_794),
    file(stanford, "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3", 64_275_384),
  ],
  mnist: [
    file(mnist, "train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
    file(mnist, "train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28_881),
    file(mnist, "t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1_648_877),
    file(mnist, "t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4_542),
  ],
  "fashion-mnist": [
    file(fashion, "train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
    file(fashion, "train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 29_515),
    file(fashion, "t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 4_422_102),
    file(fashion, "t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 5_148),
  ],
};
