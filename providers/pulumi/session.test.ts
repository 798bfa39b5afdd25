import { expect, it } from "vitest";
import { Session } from "./session.ts";
import { ToyShelf, toyProvider } from "./testing/toy-provider.ts";

const options = { logger: { log: () => {} }, warn: () => {} };

it("configures once, however many resources ask, and has every hook wait for it", async () => {
  const shelf = new ToyShelf();
  const opened = Promise.withResolvers<void>();
  shelf.gate = opened.promise;
  const session = new Session(toyProvider(shelf), options);
  session.configure({ rawConfig: { "breezeblock:owner": "first" } }, "");
  session.configure({ rawConfig: { "breezeblock:owner": "second" } }, "");
  const waiting = Promise.all([session.context(), session.context()]);
  opened.resolve();
  const [one, other] = await waiting;
  expect(one.fleet).toBe(other.fleet);
  expect(shelf.configured).toBe(1);
  expect(shelf.settings).toMatchObject({ owner: "first" });
});

it("gives a wrong configuration's errors to every hook", async () => {
  const session = new Session(toyProvider(), options);
  session.configure({ rawConfig: { "breezeblock:ownr": "me" } }, "");
  await expect(session.context()).rejects.toThrow(/ownr/);
  await expect(session.context()).rejects.toThrow(/ownr/);
});

it("says so when nothing configured it", async () => {
  await expect(new Session(toyProvider(), options).context()).rejects.toThrow(
    /@pulumi\/pulumi 3\.216 or later/,
  );
});

it("stops what runs and closes the fleet when it ends", async () => {
  const shelf = new ToyShelf();
  const session = new Session(toyProvider(shelf), options);
  session.configure({ rawConfig: {} }, "");
  const { signal } = await session.context();
  await session.close();
  expect(signal.aborted).toBe(true);
  expect(shelf.closed).toBe(1);
});

it("ends quietly when its configuration was wrong, or none", async () => {
  const wrong = new Session(toyProvider(), options);
  wrong.configure({ rawConfig: { "breezeblock:ownr": "me" } }, "");
  await wrong.close();
  await new Session(toyProvider(), options).close();
});
