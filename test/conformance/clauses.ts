/** The clauses of the driver contract, each with its promise in short. */
export const clauses = {
  "SET-1": "settings are checked before anything else",
  "SET-2": "the backend is proven usable, or the cause is told",
  "SET-3": "a backend whose check failed fails each use with that cause; the others go on",
  "STA-1": "stats, cached unless refreshed",
  "CRE-1": "creating allocates and never exports",
  "CRE-2": "new space reads as zeros",
  "DEL-1": "deleting what is gone is success",
  "DEL-2": "what is in use is not deleted",
  "DEL-3": "only what is proven ours is destroyed",
  "DEL-4": "a last snapshot outlives its volume, and has all that was on it",
  "EXT-1": "growing keeps the content, and the export shows the new size",
  "EXT-2": "nothing shrinks; the same size is success",
  "SNP-1": "a snapshot is a point in time",
  "SNP-2": "deleting an absent snapshot is success; one in use is kept",
  "CFS-1": "a volume from a snapshot: same content, independent, larger where asked",
  "CFS-2": "a replica is created and linked, or nothing is made",
  "CLN-1": "a clone: same content, independent, larger where asked",
  "EXP-1": "exports are made, made whole and removed, each repeatable",
  "CON-1": "an incomplete connector is refused before anything changes",
  "CON-2": "access is granted, with the same plain answer each time",
  "CON-3": "pairs kept for an initiator are handed back",
  "CON-4": "access is revoked, unless another attachment of that host needs it",
  "CON-5": "every connection can be ended at once",
  "ATT-1": "attachments are recorded, and allocate nothing",
  "MNG-1": "what others made is managed as it is: only records are written",
  "MNG-2": "what is in use, or another one than was found, is not managed",
  "MNG-3": "what was managed is given back as it was found",
  "IMG-1": "an image is cloned inside the backend where that is faster",
  "IMG-2": "an image becomes a volume, whole or not at all",
  "IMG-3": "a volume becomes an image",
  "MIG-1": "a moved volume: same content, id and labels, and nothing left where it was",
  "MIG-2": "what is in use is not moved",
  "MIG-3": "a move that is killed leaves the old volume whole, or the new one",
  "RTY-1": "what kind a volume is changes where it is",
} as const;

export type Clause = keyof typeof clauses;

export const clauseNames = Object.keys(clauses) as readonly Clause[];

/** Those that are about a backend as a whole. */
export const setupClauses: readonly Clause[] = ["SET-1", "SET-2", "SET-3"];

/** Those whose keeping depends on how volumes are reached; the others have nothing to do with it. */
export const connectionClauses: readonly Clause[] = [
  "DEL-2",
  "EXT-1",
  "EXP-1",
  "CON-1",
  "CON-2",
  "CON-3",
  "CON-4",
  "CON-5",
  "ATT-1",
];

/** Those whose keeping takes a driver and a target together. */
export const combinationClauses: readonly Clause[] = ["EXT-1", "SNP-1", "CFS-1", "CON-2", "CON-4"];

/** Those whose keeping depends on how space is allocated. */
export const allocationClauses: readonly Clause[] = [
  "STA-1",
  "CRE-1",
  "CRE-2",
  "DEL-1",
  "DEL-2",
  "DEL-3",
  "DEL-4",
  "EXT-1",
  "EXT-2",
  "SNP-1",
  "SNP-2",
  "CFS-1",
  "CFS-2",
  "CLN-1",
  "MNG-1",
  "MNG-3",
  "IMG-1",
  "IMG-2",
  "IMG-3",
  "MIG-1",
  "MIG-2",
  "MIG-3",
  "RTY-1",
];
