import assert from "node:assert/strict";
import { repeatedKey } from "../../src/formats/json_keys.ts";
import { parseSafetensors } from "../../src/formats/safetensors.ts";

Deno.test("repeatedKey() finds names that stand twice in one object, in whatever spelling, and no others", () => {
  const cases: [string, string | undefined][] = [
    ["{}", undefined],
    ['[1, "a", "a", {"a": "a"}, {"a": ["a", "a"]}]', undefined],
    ['{"a": {"a": {"a": 1}, "b": 2}, "b": "a"}', undefined],
    ['{"a": ":", "b:": "{", "c": "\\"a\\":"}', undefined],
    ['{"a": 1, "b": 2, "a": 3}', "a"],
    ['{"x": [{"y": {"b": 1, "\\u0062": 2}}]}', "b"],
    ['{"a": {"c": 1}, "a": {"c": 1}}', "a"],
    ['{"": 1, "" : 2}', ""],
    ['{"a\\\\": 1, "a\\\\": 2}', "a\\"],
    ['{"__proto__": 1, "__proto__": 2}', "__proto__"],
  ];
  for (const [text, expected] of cases) {
    JSON.parse(text);
    assert.equal(repeatedKey(text), expected, text);
  }
});

Deno.test("parseSafetensors() refuses a header that names a tensor or a field twice", () => {
  const tensor = (shape: string) => `{"dtype":"F32","shape":[${shape}],"data_offsets":[0,4]}`;
  const cases: [string, RegExp][] = [
    [`{"x":${tensor("1")},"x":${tensor("1")}}`, /names "x" twice/],
    [`{"x":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}`, /names "shape" twice/],
    [`{"__metadata__":{"a":"1","a":"2"},"x":${tensor("1")}}`, /names "a" twice/],
  ];
  for (const [header, message] of cases) {
    const json = new TextEncoder().encode(header);
    const bytes = new Uint8Array(8 + json.length + 4);
    bytes[0] = json.length;
    bytes.set(json, 8);
    assert.throws(() => parseSafetensors(bytes), message);
  }
});
