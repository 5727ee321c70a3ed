/**
 * The errors that a user of the library or of the commands can meet. Every message is one line that says what was
 * wrong, where, and what to do; the commands print it without a stack trace.
 */

/** Characters that a terminal obeys, that change the direction of text or end a line, and codes without a character. */
export const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu;

/** Text in which characters that are not printed appear as their codes, such as `\x1b`. */
export function escaped(text: string): string {
  return text.replaceAll(unprintable, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
  });
}

/**
 * Base of all errors that this project throws on purpose; any other error is a defect. Messages may contain text from
 * untrusted files: line breaks become spaces, and characters that a terminal would obey become their codes.
 */
export class SadaJemError extends Error {
  override name = "SadaJemError";

  constructor(message: string, options?: ErrorOptions) {
    super(escaped(message.replaceAll(/\s*\n\s*/g, " ")), options);
  }
}

/** No adapter, a limit of the device, or, as a {@link GpuLostError}, a device that failed at work. */
export class GpuError extends SadaJemError {
  override name = "GpuError";
}

/**
 * A device that is lost, has reported an error, or does not answer. Its contents are gone, but a new device may work.
 */
export class GpuLostError extends GpuError {
  override name = "GpuLostError";
}

/** Work that exceeds a limit of the device. */
export class LimitError extends GpuError {
  override name = "LimitError";

  /**
   * @param needed what the work needs, such as bytes
   * @param limit how much of it the device offers
   */
  constructor(message: string, readonly needed: number, readonly limit: number) {
    super(message);
  }
}

/** Shapes that an operation cannot combine. */
export class ShapeError extends SadaJemError {
  override name = "ShapeError";
}

/** An unknown option, a value out of its range, or options that contradict each other. */
export class ConfigurationError extends SadaJemError {
  override name = "ConfigurationError";
}

/** A damaged, truncated or hostile file. */
export class FormatError extends SadaJemError {
  override name = "FormatError";
}

/** A data set that is missing, incomplete or does not contain what its format promises. */
export class DataError extends SadaJemError {
  override name = "DataError";
}

/** A checkpoint or run directory that cannot be used: none found, for another model, or in use by another process. */
export class CheckpointError extends SadaJemError {
  override name = "CheckpointError";
}

/** A table of tuned kernels that cannot be used: damaged, or made for another adapter or version. */
export class TuningError extends SadaJemError {
  override name = "TuningError";
}

/** Training diverged: the likelihood term exceeds its limit, or a loss is not finite. */
export class DivergenceError extends SadaJemError {
  override name = "DivergenceError";
}

/** A file that cannot be written: no space, no permission, or a folder that is gone. */
export class StorageError extends SadaJemError {
  override name = "StorageError";
}

/** A job of several processes that cannot begin, or that another of its processes has ended. */
export class JobError extends SadaJemError {
  override name = "JobError";
}
