package cli

import (
	"strings"
	"testing"

	"github.com/ldirectord/ldirectord/conf"
)

// TestExplainChecks has each check of real servers with several, and the bounds of all.
func TestExplainChecks(t *testing.T) {
	const text = `check = app
    checktype = external
    checkcommand = /bin/app
    checkarguments = --key geheim
    checkinterval = 5
    failurecount = 2
    externalweight = yes
check = db
    checktype = connect
    checkport = 3306
virtual = 10.0.0.1:80
    real = 10.1.0.1:80 gate
    real = 10.1.0.2:80 gate 1 check=db
    checktype = TYPE
    alsocheck = app
    checksneeded = 1
`
	for kind, want := range map[string][]string{
		"connect": {
			"check           connect to port 80, every 10s, timeout 5s\n",
			"and check       app: run /bin/app, whose exit status N from 2 on is weight N-2, every 5s, timeout 5s, down after 2 failed checks\n",
			"in its place    db, of 1 real server: connect to port 3306, every 10s, timeout 5s, down after 1 failed check\n",
			"needed          1 of the 2 checks of a real server\n",
			"at start        one line when each real server has been checked, after 15s at the latest\n",
			"down            when 2 checks are down: within 10s if it refuses all, 15s if it is silent to all; then removed\n",
			"its own after 1 good check: within 10s; app after 1 good check: within 5s; db after 1 good check: within 10s\n",
			", weight 1, check db\n",
		},
		"on": {"check           none: all are taken for up\n", "down            when 2 checks are down: within 10s if it refuses all, 15s if it is silent to all"},
	} {
		cfg, err := conf.Parse("t.cf", []byte(strings.Replace(text, "TYPE", kind, 1)), conf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := explanation(cfg)
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("checktype %s: %q is missing in\n%s", kind, line, got)
			}
		}
		if strings.Contains(got, "geheim") {
			t.Errorf("it shows an argument of a command:\n%s", got)
		}
	}
}

// TestExplainNumbersChecks has the numbers of several uses of one check block, as why and show have them.
func TestExplainNumbersChecks(t *testing.T) {
	const text = `check = app
    checktype = external
    checkcommand = /bin/app
check = db
    checktype = connect
virtual = 10.0.0.1:80
    real = 10.1.0.1:80 gate
    real = 10.1.0.2:80 gate 1 check="app --own"
    checktype = connect
    alsocheck = app --site a
    alsocheck = db
    alsocheck = app --site b
`
	cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := explanation(cfg)
	for _, line := range []string{
		"and check       app#1 (app#2 where app is in the real line): run /bin/app",
		"and check       db: connect",
		"and check       app#2 (app#3 where app is in the real line): run /bin/app",
		"in its place    app#1, of 1 real server: run /bin/app",
		"; app#1 after 1 good check: within 10s",
		", weight 1, check app#1\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("%q is missing in\n%s", line, got)
		}
	}
	if without, _ := conf.Parse("t.cf", []byte(strings.Replace(text, ` check="app --own"`, "", 1)), conf.Options{}); !strings.Contains(explanation(without), "and check       app#2: run") {
		t.Errorf("without a check in a real line:\n%s", explanation(without))
	}
}

// TestExplainAgent has what an agent beside the checks decides.
func TestExplainAgent(t *testing.T) {
	for lines, want := range map[string][]string{
		"checktype = connect\n    httpdrain = 404": {
			"and agent       at port 9707, every 2s, timeout 5s",
			"down            after 1 failed check: within 10s if it refuses, 15s if it is silent; or when its agent says down: within 2s; then removed\n",
			"back            after 1 good check: within 10s; and when its agent says down no longer: within 2s\n",
			"drains itself   weight 0 while its agent says drain or 0%\n",
		},
		"service = http\n    httpdrain = 404": {"drains itself   weight 0 while its agent says drain or 0%, or its answer has the status 404\n"},
		"checktype = on": {
			"down            when its agent says down: within 2s; then removed\n",
			"back            when its agent says down no longer: within 2s\n",
		},
	} {
		text := "virtual = 10.0.0.1:80\n    real = 10.1.0.1:80 gate\n    agentport = 9707\n    agentinterval = 2\n    " + lines + "\n"
		cfg, err := conf.Parse("t.cf", []byte(text), conf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := explanation(cfg)
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("%s: %q is missing in\n%s", lines, line, got)
			}
		}
	}
}

// TestExplainDrains has the answers by which a real server drains itself, to each of its checks, and a
// slowlimit of each.
func TestExplainDrains(t *testing.T) {
	const blocks = `httpdrain = 404
slowlimit = 2
check = web
    service = http
    receivedrain = "leaves"
check = app
    checktype = external
    checkcommand = /bin/app
    externalweight = yes
check = db
    checktype = connect
    slowlimit = 1
`
	for text, want := range map[string][]string{
		"virtual = 10.0.0.1:80\n    real = 10.1.0.1:80 gate\n": {
			"drains itself   weight 0 while its answer has the status 404\n", "if it is silent; an answer after more than 2s is a failure; then",
		},
		"virtual = 10.0.0.1:80\n    checktype = connect\n    real = 10.1.0.1:80 gate\n    alsocheck = app\n    alsocheck = web\n    alsocheck = db\n": {
			"drains itself   weight 0 while in check app its command ends with exit status 2, or in check web its answer has the status 404 or matches /leaves/\n",
			"check           connect to port 80, every 10s, timeout 5s; an answer after more than 2s is a failure\n",
			"and check       db: connect to port 80, every 10s, timeout 5s, down after 1 failed check; an answer after more than 1s is a failure\n",
		},
		"virtual = 10.0.0.1:80\n    agentport = 9707\n    real = 10.1.0.1:80 gate 1 check=app\n": {
			"drains itself   weight 0 while its agent says drain or 0%, or its answer has the status 404, or in check app its command ends with exit status 2\n",
		},
		"virtual = 10.0.0.1:80\n    checktype = connect\n    real = 10.1.0.1:80 gate\n    alsocheck = db\n": nil,
	} {
		cfg, err := conf.Parse("t.cf", []byte(blocks+text), conf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := explanation(cfg)
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("%q is missing in\n%s", line, got)
			}
		}
		if want == nil && strings.Contains(got, "drains itself") {
			t.Errorf("it drains itself by no check, in\n%s", got)
		}
	}
}

// TestExplainHuge has bounds of huge numbers, which are no negative times.
func TestExplainHuge(t *testing.T) {
	cfg, err := conf.Parse("t.cf", []byte("failurecount = 99999999999\nchkloop = 99999999999\nrisecount = 99999999999\nsslexpirywarn = 99999999999\nvirtual = 10.0.0.1:80\n    real = 10.1.0.1:80 gate\n"), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := explanation(cfg); strings.Contains(got, "-") {
		t.Errorf("a negative time in\n%s", got)
	}
}

// TestExplainForeignSource has the origin of checks only where they have it.
func TestExplainForeignSource(t *testing.T) {
	cfg, err := conf.Parse("t.cf", []byte("checksource = 192.0.2.2\nvirtual = 10.0.0.1:80\n    real = 10.1.0.1:80 gate\nvirtual6 = [fd00::1]:80\n    real6 = [fd00::2]:80 gate\n"), conf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := explanation(cfg); strings.Count(got, "from 192.0.2.2") != 1 {
		t.Errorf("want the source once in\n%s", got)
	}
}
