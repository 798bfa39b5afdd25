// Usage: file-backend-worker.ts DIRECTORY OWNER COUNT. Creates, copies and deletes beside other processes; prints the
// ids of the COUNT volumes that it leaves.
import { FileBackend } from "./file-backend.ts";

const [directory, owner, count] = process.argv.slice(2);
if (directory === undefined || owner === undefined) throw new Error("usage: DIRECTORY OWNER COUNT");
const backend = await FileBackend.open({ directory });
const ids: string[] = [];
for (let round = 0; round < Number(count); round += 1) {
  const volume = await backend.create({ owner });
  const snapshot = await backend.snapshot(volume);
  const copy = await backend.fromSnapshot(snapshot, { owner });
  await backend.deleteSnapshot(snapshot);
  await backend.delete(volume);
  ids.push(copy.id);
}
process.stdout.write(JSON.stringify(ids));
