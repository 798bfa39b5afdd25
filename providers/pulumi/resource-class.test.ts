import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, it } from "vitest";
import { DynamicResource } from "./resource-class.ts";

const registered: pulumi.runtime.MockResourceArgs[] = [];

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.push(args);
      return { id: "shelf/1", state: { ...args.inputs, sizeBytes: 5 } };
    },
    call: () => ({}),
  });
});

class Box extends DynamicResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly sizeBytes: pulumi.Output<number>;

  constructor(name: string, args: object) {
    super(
      { resource: "box", type: "Box", properties: ["name", "sizeBytes"], secrets: [] },
      name,
      args,
      undefined,
    );
  }
}

function known<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}

it("registers a resource of Pulumi's dynamic provider, with outputs for what is computed", async () => {
  const box = new Box("first", { name: "a" });
  expect(await known(box.id)).toBe("shelf/1");
  expect(await known(box.name)).toBe("a");
  expect(await known(box.sizeBytes)).toBe(5);
  expect(registered.at(-1)).toMatchObject({
    type: "pulumi-nodejs:dynamic/breezeblock:Box",
    inputs: { name: "a" },
  });
});

it("puts no more than a call into the package into every resource's state", async () => {
  const box = new Box("second", { name: "b" });
  await known(box.id);
  const text = String(registered.at(-1)?.inputs["__provider"]);
  expect(text).toMatch(
    /^exports\.handler=\(\)=>require\("breezeblock\/pulumi"\)\.dynamicProvider\("box","[^"]*"\)$/,
  );
  expect(text.length).toBeLessThan(150);
});
