#!/usr/bin/env bash
# Series of a cohort follow its object and its place in the tree.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
# shellcheck source=scrape.sh
. "$(dirname "$0")/scrape.sh"
api_stage 'leaderElection: {leaderElect: false}' --components core,scheduler

flavor f
make cohorts '{apiVersion: kueue.x-k8s.io/v1beta2, kind: Cohort, metadata: {name: root}}'
make cohorts '{apiVersion: kueue.x-k8s.io/v1beta2, kind: Cohort, metadata: {name: team}, spec: {parentName: root}}'
cq a 4 'cohortName: team'
lq qa a
shows 'kueue_cohort_info{cohort="team",parent_cohort="root",root_cohort="root"}' 1
shows 'kueue_cohort_subtree_quota{cohort="root",flavor="f",resource="cpu"}' 4
shows 'kueue_cluster_queue_info{cluster_queue="a",parent_cohort="team",root_cohort="root"}' 1

# ---- the object goes, its queue still names it ----
drop cohorts team
shows 'kueue_cluster_queue_info{cluster_queue="a",parent_cohort="team",root_cohort="team"}' 1
shows 'kueue_cohort_subtree_quota{cohort="root",flavor="f",resource="cpu"}' none
cq elsewhere 4
shows 'kueue_cluster_queue_status{cluster_queue="elsewhere",status="active"}' 1
check "what happens elsewhere does not bring its series back" not_shown '{cohort="team"'
wl one qa 1
shows 'kueue_cohort_subtree_resource_reservations{cohort="team",flavor="f",resource="cpu"}' 1
shows 'kueue_cohort_info{cohort="team",parent_cohort="",root_cohort="team"}' 1

# ---- a lending limit keeps what is reserved below it from the root, but not from the root's series ----
make cohorts '{apiVersion: kueue.x-k8s.io/v1beta2, kind: Cohort, metadata: {name: keeps}, spec: {parentName: root, resourceGroups: [
    {coveredResources: [cpu], flavors: [{name: f, resources: [{name: cpu, nominalQuota: 4, lendingLimit: 1}]}]}]}}'
cq b 0 'cohortName: keeps'
lq qb b
wl two qb 2
shows 'kueue_cohort_subtree_resource_reservations{cohort="keeps",flavor="f",resource="cpu"}' 2
shows 'kueue_cohort_subtree_resource_reservations{cohort="root",flavor="f",resource="cpu"}' 2
