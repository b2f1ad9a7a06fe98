/* SPDX-License-Identifier: Apache-2.0 */
#include "base/attributes.h"
#include "serve/handlers.h"

const struct route routes[] = {
	{"GET", "/kpi/{id}", handle_kpi,
		"A metric in the first system's shape: id, name, visualisation, data"},
	{"GET", "/api/v1/metrics", handle_metric_list,
		"Every metric with parameters, columns, chart and SQL"},
	{"GET", "/api/v1/metrics/{id}", handle_metric, "The definition of one metric"},
	{"GET", "/api/v1/metrics/{id}/data", handle_metric_data,
		"The metric evaluated, with meta; format=json (default) or csv"},
	{"GET", "/api/v1/metrics/{id}/data.json", handle_metric_data_json, "The same as JSON"},
	{"GET", "/api/v1/metrics/{id}/data.csv", handle_metric_data_csv,
		"The same as CSV, to download"},
	{"GET", "/api/v1/pipeline", handle_pipeline,
		"Layers, lag, polling, gaps, quarantine, the sums of events"},
	{"GET", "/healthz", handle_health, "The process answers"},
	{"GET", "/readyz", handle_ready, "200 when metrics can be answered, else 503"},
	{"GET", "/docs", handle_docs, "This page"},
	{"GET", "/docs.css", handle_docs_style, "Its style"},
	{"GET", "/", handle_root, "The dashboard on its own port, this page on the API's"},
	{"GET", "/index.html", handle_dashboard_file, "The dashboard"},
	{"GET", "/app.js", handle_dashboard_file, "Its program"},
	{"GET", "/app.css", handle_dashboard_file, "Its style"},
	{"GET", "/favicon.ico", handle_icon, "None: answered so that browsers do not complain"},
};
const size_t route_count = ARRAY_COUNT(routes);
