import { declareLifecycle, disks } from "./lifecycle.ts";

declareLifecycle("terraform", disks);
