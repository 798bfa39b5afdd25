import { declareConsumerTests } from "./consumer-tests.ts";

declareConsumerTests("iSCSI");
