// Of each group of ids, an account remembers the latest ones.

export const ID_GROUPS = 128
export const IDS_PER_GROUP = 1_536
