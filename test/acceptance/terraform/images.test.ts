import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesPerGib } from "../../../src/contract/index.ts";
import { titled } from "../../support/availability.ts";
import { freePort } from "../../support/free-port.ts";
import {
  altered,
  beginningOf,
  diskContent,
  type ImageServer,
  imageTools,
  makeQcow2,
  serveImages,
  sha256,
} from "../../support/images.ts";
import { makeTempDirectory, removeDirectory } from "../../support/temp-directory.ts";
import { describeEngines, firstEngine, useSite } from "./scenario.ts";

const site = useSite();

interface Image {
  readonly url?: string;
  readonly path?: string;
  readonly local_path?: string;
  readonly format: string;
  readonly compression?: string;
  readonly checksum?: string;
}

function volume(image: Image, size: number | null = 1): string {
  const written = { name: "db", backend: "demo", source: { image }, ...(size === null ? {} : { size }) };
  return `resource "breezeblock_volume" "db" {\n${Object.entries(written)
    .map(([name, value]) => `  ${name} = ${JSON.stringify(value).replaceAll('":', '"=')}\n`)
    .join("")}}\n`;
}

describe.skipIf(!imageTools.available)(titled("images", imageTools), () => {
  let files: string;
  let raw: string;
  let qcow2: string;
  let content: Buffer;
  let server: ImageServer;
  let closedPort: number;
  /** What the server does with curl. */
  let forCurl: "serve" | "refuse" = "serve";

  beforeAll(async () => {
    files = makeTempDirectory();
    content = diskContent();
    raw = join(files, "disk.raw");
    closedPort = await freePort();
    writeFileSync(raw, content);
    qcow2 = makeQcow2(raw, join(files, "disk.qcow2"));
    server = await serveImages((request, response) => {
      const name = new URL(request.url ?? "", "http://x").pathname.slice(1);
      if (name === "moved.raw") return void response.writeHead(302, { location: "/disk.raw" }).end();
      if (forCurl === "refuse" && request.headers["user-agent"]?.startsWith("curl")) {
        return void response.writeHead(403).end();
      }
      const body = readFileSync(join(files, name === "short.raw" ? "disk.raw" : name));
      response.writeHead(200, { "content-length": body.length });
      if (name !== "short.raw") return void response.end(body);
      response.write(body.subarray(0, 100_000), () => response.destroy());
    });
  });
  afterAll(async () => {
    await server.close();
    removeDirectory(files);
  });

  describeEngines((engine) => {
    test.each(["raw", "qcow2"] as const)(
      "a %s image from each place, on raw and qcow2 backends",
      async (format) => {
        const file = format === "raw" ? raw : qcow2;
        const checksum = sha256(file);
        const places: readonly (readonly [Image, "serve" | "refuse"])[] = [
          [{ path: file, format }, "serve"],
          [{ url: `file://${file}`, format, checksum }, "serve"],
          [{ local_path: file, format }, "serve"],
          [{ url: `${server.url}/disk.${format}`, format, checksum }, "serve"],
          [{ url: `${server.url}/disk.${format}`, format, checksum }, "refuse"],
        ];
        for (const [index, [image, answer]] of places.entries()) {
          forCurl = answer;
          const target = index % 2 === 0 ? "raw" : "qcow2";
          const run = site.scenario(engine);
          run.configure({
            backends: { demo: { host: "san1", file: { directory: run.storage.path, format: target } } },
          });
          run.write(volume(image));
          await run.terraform.applied();
          const made = run.storage.object("db");
          const data = run.storage.dataFile(made, target);
          if (target === "qcow2")
            execFileSync("qemu-img", ["convert", "-O", "raw", data, join(files, "out")]);
          const out = target === "raw" ? data : join(files, "out");
          expect(statSync(out).size).toBe(bytesPerGib);
          const read = beginningOf(out, content.length + 4096);
          expect(read.subarray(0, content.length).equals(content)).toBe(true);
          expect(read.subarray(content.length).every((byte) => byte === 0)).toBe(true);
          expect(run.storage.leftBehind()).toHaveLength(2);
          await run.terraform.expectNoChanges();
          await run.terraform.run(["state", "rm", "breezeblock_volume.db"]);
          await run.terraform.import("breezeblock_volume.db", "demo/db");
          await run.terraform.expectNoChanges();
          await run.terraform.destroyed();
          expect(run.storage.leftBehind()).toEqual([]);
        }
        const agents = server.clients.map((client) => client.split("/")[0]);
        expect(agents.filter((agent) => agent !== "curl")).not.toHaveLength(0);
        forCurl = "serve";
      },
    );
  });

  describeEngines((engine) => {
    test("takes its size from the image, and grows afterwards", async () => {
      const large = join(files, "large.qcow2");
      execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", large, "1537M"]);
      const run = site.scenario(engine);
      run.write(volume({ url: `${server.url}/large.qcow2`, format: "qcow2", checksum: sha256(large) }, null));
      await run.terraform.applied();
      expect(run.storage.sizeOf(run.storage.object("db"))).toBe(2 * bytesPerGib);
      await run.terraform.expectNoChanges();
      run.write(volume({ url: `${server.url}/large.qcow2`, format: "qcow2", checksum: sha256(large) }, 3));
      await run.terraform.applied();
      expect(run.storage.sizeOf(run.storage.object("db"))).toBe(3 * bytesPerGib);
      await run.terraform.expectNoChanges();
    });

    test("compressed images, by each program", async () => {
      for (const [compression, ending] of [
        ["gzip", "gz"],
        ["xz", "xz"],
        ["zstd", "zst"],
        ["bzip2", "bz2"],
      ] as const) {
        execFileSync(compression, ["-k", "-f", ...(compression === "zstd" ? ["-q"] : []), qcow2]);
        const file = `${qcow2}.${ending}`;
        const run = site.scenario(engine);
        run.write(volume({ local_path: file, format: "qcow2", compression, checksum: sha256(file) }));
        await run.terraform.applied();
        const data = run.storage.dataFile(run.storage.object("db"));
        expect(beginningOf(data, content.length).equals(content)).toBe(true);
      }
      const run = site.scenario(engine);
      run.write(volume({ local_path: `${qcow2}.gz`, format: "qcow2", compression: "gzip" }, null));
      const refused = await run.terraform.plan();
      expect(refused.text).toMatch(/compressed image does not say how large its disk is/);
    });

    test("an image that the host keeps is neither fetched nor sent again; without a checksum none is kept", async () => {
      const run = site.scenario(engine);
      const named = (name: string, image: Image) => volume(image).replaceAll('"db"', `"${name}"`);
      const backend = run.backend(run.storage, { image_cache_max_size: 1 });
      run.configure({ backends: { demo: backend } });
      execFileSync("gzip", ["-k", "-f", qcow2]);
      const checksum = sha256(`${qcow2}.gz`);
      const packed = { format: "qcow2", compression: "gzip", checksum };
      const published = { ...packed, url: `${server.url}/disk.qcow2.gz` };
      run.write(named("first", published) + named("unproven", { path: raw, format: "raw" }));
      await run.terraform.applied();
      expect(run.storage.leftBehind().filter((path) => path.includes("image-cache/sha256-"))).toHaveLength(1);
      const requests = server.clients.length;
      const sent = { ...packed, local_path: join(files, "not-here.qcow2.gz") };
      run.write(
        named("first", published) +
          named("unproven", { path: raw, format: "raw" }) +
          named("second", published) +
          named("third", sent),
      );
      await run.terraform.applied();
      expect(server.clients).toHaveLength(requests);
      for (const name of ["first", "second", "third"]) {
        const read = beginningOf(run.storage.dataFile(run.storage.object(name)), content.length);
        expect(read.equals(content)).toBe(true);
      }
      await run.terraform.expectNoChanges();
      await run.terraform.destroyed();
    });

    test("a redirect is followed; another source is refused, kept or replaces", async () => {
      const run = site.scenario(engine);
      const earlier = server.clients.length;
      // No part of a URL is a pattern.
      run.write(volume({ url: `${server.url}/moved.raw?[1-2]&{a,b}`, format: "raw", checksum: sha256(raw) }));
      await run.terraform.applied();
      const made = run.storage.object("db");
      const clients = server.clients.slice(earlier);
      expect(clients.filter((client) => client.startsWith("curl"))).toHaveLength(2);
      run.write(volume({ path: qcow2, format: "qcow2" }));
      expect((await run.terraform.plan()).text).toMatch(/Unable to change the source of volume "db"/);
      run.write(volume({ path: qcow2, format: "qcow2" }).replace("{\n", '{\n  on_source_change = "keep"\n'));
      await run.terraform.applied();
      await run.terraform.expectNoChanges();
      expect(run.storage.object("db").id).toBe(made.id);
    });

    describe("what is refused leaves neither a volume nor an image on the host", () => {
      const refusals: readonly (readonly [string, () => Image, RegExp])[] = [
        [
          "a wrong checksum",
          () => ({ local_path: raw, format: "raw", checksum: `sha256:${"0".repeat(64)}` }),
          /its sha256 checksum is [0-9a-f]{64}, not 0{64}/,
        ],
        [
          "a wrong checksum of what the host fetches",
          () => ({ url: `${server.url}/disk.raw`, format: "raw", checksum: `sha256:${"0".repeat(64)}` }),
          /its sha256 checksum is/,
        ],
        [
          "a connection that ends early",
          () => ({ url: `${server.url}/short.raw`, format: "raw", checksum: sha256(raw) }),
          /cannot be read: from the storage host: .*from here: /,
        ],
        [
          "nothing there",
          () => ({
            url: `http://127.0.0.1:${closedPort}/disk.raw`,
            format: "raw",
            checksum: sha256(raw),
          }),
          /cannot be read: from the storage host: .*ECONNREFUSED/,
        ],
        ["a missing file", () => ({ path: join(files, "none.raw"), format: "raw" }), /there is no file/],
        [
          "a missing local file",
          () => ({ local_path: join(files, "none"), format: "raw" }),
          /there is no file \S+none on this machine/,
        ],
        [
          "a qcow2 file cut off",
          () => {
            const file = altered(qcow2, join(files, "cut.qcow2"), 0, Buffer.alloc(0));
            truncateSync(file, Math.floor(statSync(file).size * 0.7));
            return { local_path: file, format: "qcow2" };
          },
          /damaged or cut off|lie beyond its end/,
        ],
        [
          "a compressed file cut off",
          () => {
            execFileSync("gzip", ["-k", "-f", qcow2]);
            truncateSync(`${qcow2}.gz`, 500_000);
            return { local_path: `${qcow2}.gz`, format: "qcow2", compression: "gzip" };
          },
          /gzip cannot decompress it|unexpected end of file/,
        ],
        [
          "a qcow2 file declared as raw",
          () => ({ local_path: qcow2, format: "raw" }),
          /begins as a qcow2 file does/,
        ],
        ["a raw file declared as qcow2", () => ({ path: raw, format: "qcow2" }), /does not begin as a qcow2/],
        [
          "a backing file",
          () => {
            const file = join(files, "backed.qcow2");
            execFileSync("qemu-img", [
              "create",
              "-q",
              "-f",
              "qcow2",
              "-F",
              "raw",
              "-b",
              "/etc/passwd",
              file,
              "1M",
            ]);
            return { url: `${server.url}/backed.qcow2`, format: "qcow2", checksum: sha256(file) };
          },
          /takes content from a backing file/,
        ],
        [
          "an external data file",
          () => {
            const file = join(files, "outside.qcow2");
            const data = join(files, "outside.data");
            execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-o", `data_file=${data}`, file, "1M"]);
            return { path: file, format: "qcow2" };
          },
          /external data file/,
        ],
        [
          "an absurd size",
          () => {
            const size = Buffer.alloc(8);
            size.writeBigUInt64BE(2n ** 62n);
            return { local_path: altered(qcow2, join(files, "huge.qcow2"), 24, size), format: "qcow2" };
          },
          /its disk claims \d+ bytes/,
        ],
        [
          "a disk larger than the volume",
          () => {
            const file = join(files, "larger.qcow2");
            execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", file, "2G"]);
            return { url: `${server.url}/larger.qcow2`, format: "qcow2", checksum: sha256(file) };
          },
          /has 2147483648 bytes, and the volume 1073741824[\s\S]*Write size = 2 or more/,
        ],
        [
          "tables that contradict themselves",
          () => {
            const entries = Buffer.alloc(4);
            entries.writeUInt32BE(0xffffffff);
            return { local_path: altered(qcow2, join(files, "tables.qcow2"), 36, entries), format: "qcow2" };
          },
          /its first table has 4294967295 entries/,
        ],
      ];
      test.each(refusals)("%s", async (_, image, words) => {
        const run = site.scenario(engine);
        run.write(volume(image()));
        const failed = await run.terraform.apply();
        expect(failed.exitCode).not.toBe(0);
        expect(failed.text).toMatch(words);
        expect(run.storage.leftBehind()).toEqual([]);
        expect(readdirSync(run.storage.path).filter((name) => name !== ".breezeblock")).toEqual([]);
        expect((await run.terraform.state()).length).toBe(0);
      });

      test("at plan: passwords in URLs, http without a checksum, two places, what is too large", async () => {
        const larger = join(files, "larger.raw");
        writeFileSync(larger, "");
        truncateSync(larger, 2 * bytesPerGib);
        for (const [image, words] of [
          [{ url: "https://user:secret@images.example/a", format: "raw" }, /holds a user name or a password/],
          [{ url: `${server.url}/disk.raw`, format: "raw" }, /write the checksum, or use https/],
          [{ path: raw, local_path: raw, format: "raw" }, /Give one of path and local_path/],
          [{ format: "raw" }, /needs a url, a path or a local_path/],
          [{ local_path: larger, format: "raw" }, /Write size = 2 or more/],
          [{ path: larger, format: "raw" }, /Write size = 2 or more/],
        ] as const) {
          const run = site.scenario(engine);
          run.write(volume(image));
          const refused = await run.terraform.plan();
          expect(refused.exitCode).not.toBe(0);
          expect(refused.text).toMatch(words);
        }
      });
    });
  }, firstEngine());
});
