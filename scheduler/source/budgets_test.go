package source

import (
	"slices"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/scheduler/core"
)

func newBudget(namespace, name string, allowed int32, labels map[string]string) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 2},
		Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}},
		Status:     policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 2, DisruptionsAllowed: allowed},
	}
}

// told are the budgets that events tell of, and those of the member p.
func (s *story) told() (budgets []core.Event, ofMember [][]string) {
	events, _ := s.take()
	for _, e := range events {
		switch e := e.(type) {
		case core.BudgetSet, core.BudgetGone:
			budgets = append(budgets, e)
		case core.PodSet:
			ofMember = append(ofMember, e.Member.Budgets)
		}
	}
	return budgets, ofMember
}

func (s *story) expectBudgets(budgets []core.Event, ofMember ...[]string) {
	s.t.Helper()
	gotBudgets, gotMember := s.told()
	if !slices.Equal(gotBudgets, budgets) || !slices.EqualFunc(gotMember, ofMember, slices.Equal) {
		s.t.Fatalf("told are budgets %+v and a member with %v, want %+v and %v", gotBudgets, gotMember, budgets, ofMember)
	}
}

func TestMembersAreToldWithTheBudgetsThatCountThem(t *testing.T) {
	web := map[string]string{"app": "web"}
	s := newStory(t)
	s.take()
	s.setBudget(newBudget("team", "b", 1, web))
	s.setBudget(newBudget("elsewhere", "b", 1, web))
	s.expectBudgets([]core.Event{core.BudgetSet{Name: "team/b", Allowed: 1}, core.BudgetSet{Name: "elsewhere/b", Allowed: 1}})

	s.setPod(newPod("p", ofJob("1"), label("app", "web")))
	s.expectBudgets(nil, []string{"team/b"})
	s.setPod(newPod("p", ofJob("1"), label("app", "web"), label("more", "of it")))
	s.expectBudgets(nil)

	s.setBudget(newBudget("team", "all", 3, nil))
	s.expectBudgets([]core.Event{core.BudgetSet{Name: "team/all", Allowed: 3}}, []string{"team/all", "team/b"})
	s.setBudget(newBudget("team", "b", 1, map[string]string{"app": "database"}))
	s.expectBudgets(nil, []string{"team/all"})
	s.removeBudget("team", "all")
	s.expectBudgets([]core.Event{core.BudgetGone{Name: "team/all"}}, nil)
}

func TestABudgetThatWasJustChangedAllowsNothing(t *testing.T) {
	s := newStory(t)
	s.take()
	b := newBudget("team", "b", 2, nil)
	s.setBudget(b)
	b = b.DeepCopy()
	b.Generation++
	s.setBudget(b)
	b = b.DeepCopy()
	b.Status.ObservedGeneration++
	s.setBudget(b)
	s.setBudget(b)
	s.expectBudgets([]core.Event{
		core.BudgetSet{Name: "team/b", Allowed: 2}, core.BudgetSet{Name: "team/b", Allowed: 0}, core.BudgetSet{Name: "team/b", Allowed: 2},
	})
}

func TestABudgetWithoutASelectorCountsNobody(t *testing.T) {
	s := newStory(t)
	s.take()
	b := newBudget("team", "b", 2, nil)
	b.Spec.Selector = nil
	s.setBudget(b)
	s.setPod(newPod("p", ofJob("1")))
	s.expectBudgets([]core.Event{core.BudgetSet{Name: "team/b", Allowed: 2}}, nil)
}
