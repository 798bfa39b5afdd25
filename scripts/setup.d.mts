export function binDirectory(root: string): string;
export function setUp(root: string): void;
export function isInstalled(root: string): boolean;
