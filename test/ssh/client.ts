/** A process of its own that uses a host, to be killed: `client.ts lock|job <settings> <argument>`. */
import { type HostSettings, openHost } from "../../src/ssh/index.ts";

const [, , use, settingsText = "", argumentText = ""] = process.argv;
const host = openHost(JSON.parse(settingsText) as HostSettings);
if (use === "job") {
  await host.runJob(JSON.parse(argumentText) as { id: string; directory: string; argv: string[] });
} else {
  const { lock, started, stop } = JSON.parse(argumentText) as { lock: string; started: string; stop: string };
  const script = 'touch "$1"; until [ -e "$2" ]; do sleep 0.05; done';
  await host.withLock(lock, {}, (locked) => locked.run(["sh", "-c", script, "sh", started, stop]));
}
await host.close();
