package status

// DryRunWords say of what is shown that it is none of the kernel's.
const DryRunWords = "Dry run: real checks, the table is kept in memory, nothing is written to the kernel"

// dryRunHeader is in each answer of a dry run, "true".
const dryRunHeader = "Ldirectord-Dry-Run"

// dryRunMark stands before what names a dry run in a title or a headline.
func dryRunMark(dryRun bool) string {
	if dryRun {
		return "DRY RUN: "
	}
	return ""
}
