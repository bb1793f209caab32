// Limits that a few signals reach. A test file mocks both modules of limits with this one.

export const ID_GROUPS = 2
export const IDS_PER_GROUP = 4

export const ID_LIMITS = { inCore: 3, chunks: ID_GROUPS, perChunk: IDS_PER_GROUP, promised: 3 }
