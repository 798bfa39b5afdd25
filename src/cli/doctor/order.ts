import type { PlacedFinding } from "./report.ts";

/** What has to go before what: access before volumes, copies before what they are made of. */
const order = ["attachment", "acl", "export", "half-made", "snapshot", "volume", "helper", "file", "job"];

/** The same findings, so that nothing stands in the way of what comes after it. */
export function inRemovalOrder(findings: readonly PlacedFinding[]): readonly PlacedFinding[] {
  const rank = ({ finding: { place, condition } }: PlacedFinding): number =>
    order.indexOf(condition === "half_made" ? "half-made" : place.kind);
  return [...new Set(findings)].sort((a, b) => rank(a) - rank(b));
}
