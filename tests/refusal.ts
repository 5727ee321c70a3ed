import assert from "node:assert/strict";

/** Asserts that a promise rejects with an error of this class and a one-line message that matches. */
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
