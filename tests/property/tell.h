/* tell.h - what the model holds, told to the engine. */
#pragma once

#include "tests/property/play.h"

const char *tell_name(struct play *play, char letter, int index); /* "q3", in play->facts */
int tell_index(const char *name);                                 /* 3 */

void tell_cohort(struct play *play, int index);
void tell_queue(struct play *play, int index);
void tell_local(struct play *play, int namespace, int queue);
void tell_flavor(struct play *play, int index);
void tell_check(struct play *play);
void tell_namespace(struct play *play, int index);
void tell_limit_range(struct play *play, int index);
/* The stored Workload; 'old': as it was before the reservation that the model holds. */
void tell_workload(struct play *play, int index, bool old);
