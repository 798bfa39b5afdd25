import { declareLifecycle, disks } from "./lifecycle.ts";

// Both file systems and both protocols; each with each is shown with Terraform.
declareLifecycle(
  "tofu",
  disks.filter(({ name }) => name === "b" || name === "c"),
);
