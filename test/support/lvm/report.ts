import { readFileSync } from "node:fs";

/**
 * What `lvm fullreport` of LVM 2.03.16 printed of a volume group with six objects of ours (one of them a copy-on-write
 * snapshot that ran full), and with other people's raid, cached, thin and copy-on-write volumes.
 */
export const realReport: Buffer = readFileSync(new URL("report.json", import.meta.url));

export interface ReportedVolume {
  lv_name: string;
  lv_attr: string;
  lv_tags: string;
  lv_size: string;
  data_percent: string;
  metadata_percent: string;
  [column: string]: string;
}

export interface Report {
  readonly vg: Record<string, string>;
  readonly lv: ReportedVolume[];
  readonly pv: Record<string, string>[];
}

/** The same with something changed in it. */
export function changedReport(change: (report: Report) => unknown): Buffer {
  const json = JSON.parse(realReport.toString()) as {
    report: { vg: Report["vg"][]; lv: ReportedVolume[]; pv: Report["pv"] }[];
  };
  const [part] = json.report;
  const [vg] = part?.vg ?? [];
  if (part === undefined || vg === undefined) throw new Error("The report has no volume group in it.");
  change({ vg, lv: part.lv, pv: part.pv });
  return Buffer.from(JSON.stringify(json));
}
