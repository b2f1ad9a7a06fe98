/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/control.h"

#include "base/json_writer.h"
#include "fake_github/reply.h"

static const char json_type[] = "application/json; charset=utf-8";

bool control_is_for(const struct http_request *request)
{
	return span_equal_text(request->path, "/_ledger")
	       || span_equal_text(request->path, "/_control");
}

static bool is_on(struct span query, const char *name)
{
	return span_equal_text(http_query_value(query, name), "1");
}

static void write_state(struct github *github, struct json_writer *json)
{
	json_put_key_text(json, "scenario", github->scenario ? github->scenario->name : NULL);
	json_put_key_integer(json, "scenario_hits", github->scenario_hits);
	json_put_key_integer(json, "poll_interval", github->options.poll_interval_seconds);
}

static void answer_ledger(struct github *github, const struct http_request *request,
			  struct http_response *response)
{
	reply_body(response, 200, json_type, (struct span){"", 0});
	struct json_writer json;
	json_writer_init(&json, &response->body);
	(void)pthread_mutex_lock(&github->lock);
	json_begin_object(&json);
	json_put_key_integer(&json, "uptime_ms",
			 clock_monotonic_ms(github->clock) - github->ledger.start_ms);
	write_state(github, &json);
	json_put_key(&json, "feed");
	json_begin_object(&json);
	github->feed->operations->describe(github->feed, clock_wall_us(github->clock),
					   is_on(request->query, "generated"), &json);
	json_end_object(&json);
	ledger_write(&github->ledger, is_on(request->query, "keys"), &json);
	json_end_object(&json);
	(void)pthread_mutex_unlock(&github->lock);
	if (response->body.failed)
		reply_error(response, 500, "The ledger is larger than a response may be", NULL);
}

static bool change(struct github *github, const struct http_request *request, struct err *err)
{
	struct span scenario = http_query_value(request->query, "scenario");
	struct span rate = http_query_value(request->query, "rate");
	struct span poll_interval = http_query_value(request->query, "poll-interval");
	double events_per_second = 0;
	int64_t seconds = 0;
	if (!scenario.data && !rate.data && !poll_interval.data)
		return err_set(err, ERR_INPUT, "say scenario=, rate= or poll-interval=");
	if (rate.data && (!span_parse_double(rate, &events_per_second) || events_per_second < 0))
		return err_set(err, ERR_INPUT, "rate is no number of events per second");
	if (poll_interval.data && (!span_parse_int64(poll_interval, &seconds) || seconds < 0))
		return err_set(err, ERR_INPUT, "poll-interval is no number of seconds");
	if (scenario.data && !github_choose_scenario(github, scenario, err))
		return false;
	(void)pthread_mutex_lock(&github->lock);
	if (rate.data)
		github->feed->operations->set_rate(github->feed, events_per_second,
						   clock_wall_us(github->clock));
	if (poll_interval.data)
		github->options.poll_interval_seconds = seconds;
	(void)pthread_mutex_unlock(&github->lock);
	return true;
}

static void answer_control(struct github *github, const struct http_request *request,
			   struct http_response *response)
{
	struct err err = {0};
	if (!span_equal_text(request->method, "POST")) {
		reply_error(response, 405, "Use POST", NULL);
		return;
	}
	if (!change(github, request, &err)) {
		reply_error(response, 422, err.text, NULL);
		return;
	}
	reply_body(response, 200, json_type, (struct span){"", 0});
	struct json_writer json;
	json_writer_init(&json, &response->body);
	(void)pthread_mutex_lock(&github->lock);
	json_begin_object(&json);
	write_state(github, &json);
	json_end_object(&json);
	(void)pthread_mutex_unlock(&github->lock);
}

void control_answer(struct github *github, const struct http_request *request,
		    struct http_response *response)
{
	if (span_equal_text(request->path, "/_ledger"))
		answer_ledger(github, request, response);
	else
		answer_control(github, request, response);
}
