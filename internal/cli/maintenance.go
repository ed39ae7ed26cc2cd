package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ldirectord/ldirectord/conf"
	"github.com/ldirectord/ldirectord/internal/maintenance"
	"github.com/ldirectord/ldirectord/internal/state"
)

// examineTime bounds the lookups of check and doctor.
const examineTime = 10 * time.Second

// examineMaintenance is the state of the maintenance directory of a configuration, with
// or without a daemon.
func examineMaintenance(s *session, cfg *conf.Config) maintenance.State {
	ctx, cancel := context.WithTimeout(context.Background(), examineTime)
	defer cancel()
	kept, err := state.ReadMaintenance(s.MaintenanceFile())
	if err != nil {
		kept = state.Maintenance{} // the daemon reports it
	}
	return maintenance.Examine(ctx, cfg, maintenance.Options{Kept: kept})
}

// maintenanceProblems are warnings about the maintenance directory of cfg, which was made
// of sources.
func maintenanceProblems(s *session, cfg *conf.Config, sources *conf.Sources) conf.Problems {
	if cfg == nil || cfg.MaintenanceDir == "" {
		return nil
	}
	var list conf.Problems
	file, line := directiveLine(sources, "maintenancedir")
	for _, fault := range examineMaintenance(s, cfg).Faults() {
		list = append(list, &conf.Problem{
			Path: file, Line: line, Warning: true, Code: conf.CodeMaintenanceFile, Text: fault,
			Hint: "a file is named after a real server: ADDRESS, ADDRESS:PORT, NAME or NAME:PORT",
		})
	}
	return list
}

// directiveLine is the last line that sets a global directive, 0 of the first file if
// there is none.
func directiveLine(sources *conf.Sources, directive string) (file string, line int) {
	file = sources.Files[0].Path
	for _, f := range sources.Files {
		if n := lineOf(f.Text, directive); n != 0 {
			file, line = f.Path, n
		}
	}
	return file, line
}

// lineOf is the number of the last line that sets a global directive, 0 if there is
// none.
func lineOf(text []byte, directive string) (n int) {
	i := 0
	for line := range strings.Lines(string(text)) {
		i++
		if name, _, ok := strings.Cut(line, "="); ok && strings.TrimSpace(name) == directive {
			n = i
		}
	}
	return n
}

// missingDirectory reports whether problems already include the missing maintenance
// directory.
func missingDirectory(problems conf.Problems) bool {
	return slices.ContainsFunc(problems, func(p *conf.Problem) bool { return p.Code == conf.CodeMaintenanceDir })
}
