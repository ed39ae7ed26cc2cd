package status

// dryRunHeader is in each answer of a dry run, "true".
const dryRunHeader = "Ldirectord-Dry-Run"
