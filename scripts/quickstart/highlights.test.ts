import { expect, test } from "vitest";
import { pulumiHighlights } from "./pulumi-highlights.ts";
import { terraformHighlights } from "./terraform-highlights.ts";

test("of terraform: what is planned and done, changed attributes, the summary", () => {
  expect(
    terraformHighlights(`
breezeblock_volume.data: Refreshing state... [id=demo/1]

Terraform will perform the following actions:

  # breezeblock_volume.data will be updated in-place
  ~ resource "breezeblock_volume" "data" {
        id     = "demo/1"
      ~ labels = {
          ~ "tier" = "x" -> "gold"
            # (1 unchanged element hidden)
        }
    }

  # breezeblock_volume.restored will be created
  + resource "breezeblock_volume" "restored" {
      + backend = "demo"
    }

Plan: 1 to add, 1 to change, 0 to destroy.
breezeblock_volume.data: Modifying... [id=demo/1]
breezeblock_volume.data: Modifications complete after 0s [id=demo/1]
`),
  ).toEqual([
    "# breezeblock_volume.data will be updated in-place",
    "  ~ labels = {",
    '      ~ "tier" = "x" -> "gold"',
    "# breezeblock_volume.restored will be created",
    "Plan: 1 to add, 1 to change, 0 to destroy.",
    "breezeblock_volume.data: Modifications complete after 0s [id=demo/1]",
  ]);
});

test("of terraform: an error as a whole, without its frame", () => {
  expect(
    terraformHighlights("Planning failed.\n╷\n│ Error: Unable to shrink\n│\n│   with a.b,\n╵\n"),
  ).toEqual(["Error: Unable to shrink", "with a.b,"]);
});

test("of pulumi: steps that differ and are finished, errors once, the summary", () => {
  expect(
    pulumiHighlights(`Previewing update (dev):

 ~  pulumi:pulumi:Stack quickstart-dev refreshing
 ~  pulumi-nodejs:dynamic/breezeblock:Volume data refreshing
 ~  pulumi-nodejs:dynamic/breezeblock:Volume data refresh (0.14s)
 ~  pulumi-nodejs:dynamic/breezeblock:Volume data refresh (0.14s) [diff: ~labels]
    pulumi-nodejs:dynamic/breezeblock:Volume clone
 +  pulumi-nodejs:dynamic/breezeblock:Volume restored creating (0s)
 +  pulumi-nodejs:dynamic/breezeblock:Volume restored created (0.14s)
 ~  pulumi-nodejs:dynamic/breezeblock:Volume data refresh error: size: Unable
Diagnostics:
  pulumi-nodejs:dynamic/breezeblock:Volume (data):
    error: size: Unable to shrink

Resources:
    + 1 created
    4 unchanged

Duration: 3s
`),
  ).toEqual([
    "~  pulumi-nodejs:dynamic/breezeblock:Volume data refresh (0.14s) [diff: ~labels]",
    "+  pulumi-nodejs:dynamic/breezeblock:Volume restored created (0.14s)",
    "error: size: Unable to shrink",
    "Resources: + 1 created, 4 unchanged",
  ]);
});
