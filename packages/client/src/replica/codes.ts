/** The operation codes of the entries of a diff (SPEC.md O12). */

export const NODE_ADD = 0;
export const NODE_UPDATE = 1;
export const NODE_STATUS = 2;
export const NODE_TRASH = 3;
export const NODE_RESTORE = 4;
export const NODE_DELETE = 5;
export const NODE_PUBLISH = 6;
export const NODE_SHOW = 7;
export const NODE_HIDE = 8;
export const NODE_ACCESS = 9;
export const LINK_ADD = 10;
export const LINK_UPDATE = 11;
export const LINK_TRASH = 12;
export const LINK_RESTORE = 13;
export const LINK_DELETE = 14;
export const LINK_SWAP = 15;
export const LINK_SHOW = 17;
export const LINK_HIDE = 18;
export const GRANT_UPSERT = 20;
export const GRANT_UPDATE = 21;
export const GRANT_DELETE = 22;
export const USER_UPDATE = 30;
