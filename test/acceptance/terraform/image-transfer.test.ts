import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { bytesPerGib } from "../../../src/contract/index.ts";
import { titled } from "../../support/availability.ts";
import { findCommand } from "../../support/commands.ts";
import {
  beginningOf,
  diskContent,
  type ImageServer,
  imageTools,
  makeCertificate,
  serveImages,
  sha256,
} from "../../support/images.ts";
import { StorageHost } from "../../support/storage.ts";
import { makeTempDirectory, removeDirectory, tempDirectory } from "../../support/temp-directory.ts";
import { resultOf } from "../../support/terraform.ts";
import { waitFor } from "../../support/wait-for.ts";
import { describeEngines, firstEngine, Scenario, useExecutable } from "./scenario.ts";

const mebibyte = 1024 ** 2;
const executable = useExecutable();

let host: StorageHost;
beforeAll(async () => {
  host = await StorageHost.start();
});
afterAll(() => host.stop());

/** The most memory that the provider under `engine` has had, in bytes; `undefined` where there is none now. */
function peakOfProvider(engine: ChildProcess): number | undefined {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== engine.pid) continue;
      // A process that has ended, and is not collected yet, has none.
      const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
      return peak === undefined ? undefined : Number(peak) * 1024;
    } catch {
      // Gone between the listing and the look.
    }
  }
  return undefined;
}

const volume = (image: string, size: number) =>
  `resource "breezeblock_volume" "db" {\n  name = "db"\n  size = ${size}\n  backend = "demo"\n  source = { image = { ${image} } }\n}\n`;

describe.skipIf(!imageTools.available)(titled("images on their way", imageTools), () => {
  describeEngines((engine) => {
    let files: string;
    let server: ImageServer;
    let releaseBody = (): void => undefined;
    beforeAll(async () => {
      files = makeTempDirectory();
      const released = new Promise<void>((resolve) => {
        releaseBody = resolve;
      });
      server = await serveImages((_request, response) => {
        const body = readFileSync(join(files, "disk.raw"));
        response.writeHead(200, { "content-length": body.length });
        response.write(body.subarray(0, mebibyte));
        void released.then(() => response.end(body.subarray(mebibyte)));
      });
    });
    afterAll(async () => {
      await server.close();
      removeDirectory(files);
    });

    test("2 GiB are streamed through the provider in less than 150 MB of its memory", {
      timeout: 600_000,
    }, async () => {
      const file = join(files, "large.raw");
      writeFileSync(file, "beginning");
      truncateSync(file, 2 * bytesPerGib);
      const run = new Scenario(host, engine, { source: executable(), storage: host.newDirectory() });
      run.write(volume(`local_path = "${file}", format = "raw"`, 2));
      const child = run.terraform.start(["apply", "-auto-approve", "-no-color"]);
      const ended = resultOf(child);
      let peak = 0;
      await waitFor(
        "the end of the apply",
        () => {
          peak = peakOfProvider(child) ?? peak;
          return child.exitCode !== null;
        },
        { deadlineMs: 580_000, intervalMs: 100 },
      );
      const { exitCode, text } = await ended;
      expect(exitCode, text).toBe(0);
      const made = run.storage.object("db");
      expect(run.storage.readData(made, 9, 0)).toBe("beginning");
      expect(run.storage.sizeOf(made)).toBe(2 * bytesPerGib);
      expect(peak).toBeGreaterThan(10_000_000);
      expect(peak).toBeLessThan(150_000_000);
      expect(run.storage.leftBehind()).toHaveLength(2);
      await run.terraform.destroyed();
    });

    test("over https, where the storage host trusts the server, or this machine does; where nobody does, nothing is left", async () => {
      const content = diskContent();
      const file = join(files, "secure.raw");
      writeFileSync(file, content);
      const certificate = makeCertificate(files);
      const secure = await serveImages((_, response) => response.end(content), certificate);
      const tools = tempDirectory();
      const curl = `#!/bin/sh\nCURL_CA_BUNDLE=${certificate.file} exec ${findCommand("curl")} "$@"\n`;
      writeFileSync(join(tools, "curl"), curl, { mode: 0o755 });
      const trusting = await StorageHost.start({ path: `${tools}:${process.env["PATH"]}` });
      onTestFinished(async () => {
        await trusting.stop();
        await secure.close();
      });
      const image = volume(`url = "${secure.url}/disk.raw", format = "raw"`, 1);
      const here = { NODE_EXTRA_CA_CERTS: certificate.file };
      for (const [storage, environment, client] of [
        [trusting, {}, "curl"],
        [host, here, "node"],
      ] as const) {
        const earlier = secure.clients.length;
        const run = new Scenario(storage, engine, { source: executable(), environment });
        run.write(image);
        await run.terraform.applied();
        expect(secure.clients.slice(earlier).map((name) => name.split("/")[0])).toEqual([client]);
        const read = beginningOf(run.storage.dataFile(run.storage.object("db")), content.length);
        expect(read.equals(content)).toBe(true);
        await run.terraform.expectNoChanges();
      }
      const earlier = secure.clients.length;
      const run = new Scenario(host, engine, { source: executable() });
      run.write(image);
      const failed = await run.terraform.apply();
      expect(failed.exitCode).not.toBe(0);
      expect(failed.text).toMatch(
        /from the storage host: [\s\S]*certificate[\s\S]*from here: [\s\S]*certificate/,
      );
      expect(secure.clients).toHaveLength(earlier);
      expect(run.storage.leftBehind()).toEqual([]);
    });

    test("what the host fetches when everything is killed is gone on with, not fetched again", async () => {
      const content = diskContent();
      const file = join(files, "disk.raw");
      writeFileSync(file, content);
      const run = new Scenario(host, engine, { source: executable(), storage: host.newDirectory() });
      run.write(volume(`url = "${server.url}/disk.raw", format = "raw", checksum = "${sha256(file)}"`, 1));
      const child = run.terraform.start(["apply", "-auto-approve", "-no-color"]);
      const ended = resultOf(child);
      await waitFor("a request", () => server.clients.length > 0, { deadlineMs: 60_000 });
      expect(run.storage.object("db").phase).toBe("creating");
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
      expect(run.storage.objects().map(({ phase }) => phase)).toEqual(["creating"]);
      releaseBody();
      await run.terraform.applied();
      expect(server.clients).toHaveLength(1);
      const made = run.storage.object("db");
      expect(beginningOf(run.storage.dataFile(made), content.length).equals(content)).toBe(true);
      expect(run.storage.leftBehind()).toHaveLength(2);
      await run.terraform.expectNoChanges();
    });

    test("what was being sent when everything is killed is sent anew; nothing half-written is ready", async () => {
      const file = join(files, "sent.raw");
      writeFileSync(file, "beginning");
      truncateSync(file, bytesPerGib);
      const run = new Scenario(host, engine, { source: executable(), storage: host.newDirectory() });
      run.write(volume(`local_path = "${file}", format = "raw"`, 1));
      const child = run.terraform.start(["apply", "-auto-approve", "-no-color"]);
      const ended = resultOf(child);
      const images = join(run.storage.path, ".breezeblock/images");
      await waitFor(
        "some of it on the host",
        () => {
          const [id = ""] = readdirSync(images);
          const sent = readdirSync(join(images, id)).find((name) => name.startsWith("upload."));
          return sent !== undefined && statSync(join(images, id, sent)).size > 32 * mebibyte;
        },
        { deadlineMs: 60_000 },
      );
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
      expect(run.storage.objects().map(({ phase }) => phase)).toEqual(["creating"]);
      writeFileSync(file, "otherwise!");
      truncateSync(file, mebibyte);
      await run.terraform.applied();
      expect(run.storage.readData(run.storage.object("db"), 10, 0)).toBe("otherwise!");
      expect(run.storage.leftBehind()).toHaveLength(2);
      await run.terraform.destroyed();
      expect(run.storage.leftBehind()).toEqual([]);
    });
  }, firstEngine());
});
