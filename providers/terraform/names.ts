/** Before the names of all resources and data sources. */
export const typePrefix = "breezeblock_";

/** The last part of the provider's source address, which stays when a mirror or a fork has another host or namespace. */
export const providerName = "breezeblock";

/** The last two parts of the provider's source address: `<registry host>/breezeblock/breezeblock`. */
export const sourceName = "breezeblock/breezeblock";

/** The registries that the two engines take for granted; both are named wherever an address must be whole. */
export const registryHosts = ["registry.terraform.io", "registry.opentofu.org"] as const;
