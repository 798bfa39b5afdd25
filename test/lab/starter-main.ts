import { Lab } from "./lab.ts";

// Starts a lab, prints its record and stays, for a test that kills it.
const lab = await Lab.start();
console.log(JSON.stringify(lab.record));
setInterval(() => {}, 60_000);
