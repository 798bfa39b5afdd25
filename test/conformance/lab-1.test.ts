import { declareConformanceTests } from "./conformance-tests.ts";
import { subjects } from "./subjects.ts";

await declareConformanceTests(subjects.filter(({ lane }) => lane === "lab 1"));
