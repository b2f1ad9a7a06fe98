/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.h - one function per route; each fills call->reply and never fails. */
#ifndef SERVE_HANDLERS_H
#define SERVE_HANDLERS_H

#include "serve/router.h"

void handle_kpi(struct call *call);         /* kpi.c */
void handle_metric_list(struct call *call); /* metric_list.c */
void handle_metric(struct call *call);
void handle_metric_data(struct call *call); /* metric_data.c */
void handle_metric_data_json(struct call *call);
void handle_metric_data_csv(struct call *call);
void handle_pipeline(struct call *call); /* pipeline.c */
void handle_health(struct call *call);   /* health.c */
void handle_ready(struct call *call);
void handle_docs(struct call *call); /* docs_page.c */
void handle_docs_style(struct call *call);
void handle_root(struct call *call); /* dashboard.c */
void handle_dashboard_file(struct call *call);
void handle_icon(struct call *call);

#endif
