import { declareConsumerTests } from "./consumer-tests.ts";

declareConsumerTests("nvmet_tcp");
