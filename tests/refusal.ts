import assert from "node:assert/strict";

/** Asserts that a promise fails with an error of this class, in one line that matches. */
export async function refuses(
  attempt: Promise<unknown>,
  kind: new (message: string) => Error,
  message: RegExp,
): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof kind, String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}
