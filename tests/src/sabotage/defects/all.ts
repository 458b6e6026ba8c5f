/** The complete list of defects: a file for each part of the code. */
import { clientDefects } from "./client.ts";
import { codecDefects } from "./codec.ts";
import { conveyorDefects } from "./conveyor.ts";
import { coreAppendDefects } from "./core-append.ts";
import { coreBrokerDefects } from "./core-broker.ts";
import { coreGroupDefects } from "./core-group.ts";
import { coreReadDefects } from "./core-read.ts";
import { coreRecoveryDefects } from "./core-recovery.ts";
import { coreSegmentDefects } from "./core-segment.ts";
import { coreStorageDefects } from "./core-storage.ts";
import { coreStoreDefects } from "./core-store.ts";
import { coreUpkeepDefects } from "./core-upkeep.ts";
import type { Defect } from "./defect.ts";
import { engineJetStreamDefects } from "./engine-jetstream.ts";
import { protocolDefects } from "./protocol.ts";
import { serverDefects } from "./server-grpc.ts";

export const allDefects: readonly Defect[] = [
  ...codecDefects,
  ...protocolDefects,
  ...coreRecoveryDefects,
  ...coreAppendDefects,
  ...coreReadDefects,
  ...coreUpkeepDefects,
  ...coreSegmentDefects,
  ...coreStorageDefects,
  ...coreStoreDefects,
  ...coreBrokerDefects,
  ...coreGroupDefects,
  ...clientDefects,
  ...serverDefects,
  ...conveyorDefects,
  ...engineJetStreamDefects,
];
