/** `path` with a leading `~` replaced by this user's home directory. Other users' homes (`~name`) are not looked up. */
export declare function expandHome(path: string): string;
