export {
  type Examination,
  examine,
  type Inspection,
  inspect,
  nearlyFull,
  type Problem,
  type StatedObjects,
} from "./examine.ts";
export type { Condition, Finding, Judgement, Place } from "./findings.ts";
export { examineHosts, type HostExamination } from "./hosts.ts";
export type { Knowledge, OrphanVerdict } from "./judge.ts";
export { type RemovalOptions, removeFinding } from "./remove.ts";
