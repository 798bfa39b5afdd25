import { iscsiFunctions } from "../iscsi/scripts.ts";
import { nvmetFunctions } from "../nvmet/scripts.ts";
import { commonScript } from "./common-script.ts";

/** Makes every export on record again, and ends what else came back of ours; one that fails keeps no other from it. */
export const restoreScript = `# Makes the exports of breezeblock volumes what their records say. Written by breezeblock, and replaced by it.
${commonScript}${iscsiFunctions}${nvmetFunctions}
open_configfs
lock -x
outcome=0
for kept in "$exports"/*.iscsi "$exports"/*.nvmet; do
  [ -e "$kept" ] || continue
  uuid=\${kept##*/}
  uuid=\${uuid%.*}
  ( case $kept in *.iscsi) iscsi_restore "$uuid" ;; *.nvmet) nvmet_restore "$uuid" ;; esac ) || outcome=1
done
# Nobody has access any more to what is not on record.
for store in "$lio"/core/*/breezeblock-*; do
  [ -d "$store" ] || continue
  uuid=\${store##*/breezeblock-}
  [ -e "$exports/$uuid.iscsi" ] || ( iscsi_end_revived "$uuid" ) || outcome=1
done
exit $outcome
`;
