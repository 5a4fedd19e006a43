package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Site describes the tasks of a loop that run one function.
type Site struct {
	Site   string  `json:"site"`
	Func   string  `json:"func"`
	Count  int     `json:"count"`
	Oldest float64 `json:"oldest"` // the longest wait among them
}

// A Suspect is a task that may be stuck, or one of many that may be a leak.
type Suspect struct {
	Task uint64 `json:"task"`
	Why  string `json:"why"`
}

// A place is a function, and where its code begins.
type place struct{ function, site string }

// sites caches the places of functions, by address: many tasks have few
// functions.
type sites map[uintptr]place

func newSites() sites { return make(sites) }

func (s sites) of(n core.TaskName) place {
	p, ok := s[n.PC()]
	if !ok {
		p.function = n.Function()
		if file, line := n.Site(); file != "" {
			p.site = fmt.Sprintf("%s:%d", file, line)
		}
		s[n.PC()] = p
	}
	return p
}

// census counts tasks by their functions, the most frequent ones first.
func census(v *core.View, s sites) []Site {
	byPC := make(map[uintptr]*Site)
	for i := range v.Tasks {
		t := &v.Tasks[i]
		pc := t.Name.PC()
		c := byPC[pc]
		if c == nil {
			p := s.of(t.Name)
			c = &Site{Site: p.site, Func: p.function}
			byPC[pc] = c
		}
		c.Count++
		if t.Doing == core.Waits {
			c.Oldest = max(c.Oldest, time.Duration(v.Now-t.Since).Seconds())
		}
	}
	all := make([]Site, 0, len(byPC))
	for _, c := range byPC {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Site) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Site, b.Site), cmp.Compare(a.Func, b.Func))
	})
	return all
}

const (
	longWait    = 60   // seconds: a wait without a deadline that is worth a look
	outlier     = 20   // times as long as half of the site's tasks wait
	crowd       = 1000 // tasks of a site that are many
	maxSuspects = 50
)

// suspects returns the tasks that may be stuck: first, for sites with very many
// tasks, which may be a leak, the one that has waited longest; then tasks that
// wait much longer than others of their site. Waits with a deadline do not
// count, nor waits for tasks that are suspects themselves.
func suspects(tasks []Task) []Suspect {
	bySite := make(map[string][]*Task)
	for i := range tasks {
		if t := &tasks[i]; t.Since != nil && t.Deadline == nil && t.Site != "" {
			bySite[t.Site] = append(bySite[t.Site], t)
		}
	}
	var crowds, longs []suspicion
	for site, ts := range bySite {
		slices.SortFunc(ts, func(a, b *Task) int { return cmp.Or(cmp.Compare(*b.Since, *a.Since), cmp.Compare(a.ID, b.ID)) })
		oldest, median := *ts[0].Since, *ts[len(ts)/2].Since
		if len(ts) >= crowd && oldest >= longWait {
			crowds = append(crowds, suspicion{ts[0], fmt.Sprintf("waits for %s; %d others of %s wait too: do they leak?", ago(oldest), len(ts)-1, base(site))})
			continue
		}
		for _, t := range ts {
			if *t.Since < longWait || len(ts) > 1 && *t.Since < outlier*median {
				break
			}
			why := "waits for " + ago(*t.Since)
			if len(ts) > 1 {
				why = fmt.Sprintf("%s; half of the %d of %s wait for less than %s", why, len(ts), base(site), ago(median))
			}
			longs = append(longs, suspicion{t, why})
		}
	}
	for _, s := range [][]suspicion{crowds, longs} {
		slices.SortFunc(s, func(a, b suspicion) int {
			return cmp.Or(cmp.Compare(*b.task.Since, *a.task.Since), cmp.Compare(a.task.ID, b.task.ID))
		})
	}
	found := []Suspect{}
	for _, s := range append(crowds, longs...) {
		if len(found) == maxSuspects {
			break
		}
		found = append(found, Suspect{s.task.ID, s.why})
	}
	return found
}

type suspicion struct {
	task *Task
	why  string
}

// ago formats seconds.
func ago(seconds float64) string {
	return core.Rounded(time.Duration(seconds * float64(time.Second)))
}
