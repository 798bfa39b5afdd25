import { declareLifecycle, disks } from "./lifecycle.ts";

// Both file systems and both protocols; each with each is shown with Terraform.
declareLifecycle(
  "pulumi",
  disks.filter(({ name }) => name === "a" || name === "d"),
);
