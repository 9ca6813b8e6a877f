// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "json_text.h"
#include "local.h"
#include "output.h"
#include "report/report.h"

static json_t *lacks_json(const struct driver *driver)
{
	json_t *lacks = json_array();

	for (int cap = 0; lacks && cap < CAP_COUNT; cap++)
		if (driver->missing[cap])
			json_array_append_new(lacks,
					      json_pack("{s:s, s:s}", "capability",
							capability_text((enum capability)cap),
							"reason", driver->missing[cap]));
	return lacks;
}

static json_t *driver_json(const struct driver *driver, const struct driver_env *env)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	int ret = driver->available(env, NULL, &why);
	json_t *json = json_pack("{s:s, s:s, s:b}", "name", driver->name, "node", driver->node,
				 "available", !ret);

	if (ret)
		json_object_set_new(json, "reason",
				    json_string(why && why->message ? why->message : "unknown"));
	json_object_set_new(json, "lacks", lacks_json(driver));
	return json;
}

static json_t *version_json(const struct driver_env *env)
{
	json_t *array = json_array();

	for (size_t i = 0; array && drivers[i]; i++)
		json_array_append_new(array, driver_json(drivers[i], env));
	return json_pack("{s:i, s:s, s:o}", "schema_version", REPORT_SCHEMA_VERSION, "version",
			 IOASIDCTL_VERSION, "drivers", array);
}

static void print_driver(const json_t *driver)
{
	const json_t *reason = json_object_get(driver, "reason"), *lacking;
	size_t i;

	printf("\n%sdriver %s%s, %s: %s%s\n", paint(stdout, PAINT_STRONG), text_of(driver, "name"),
	       paint(stdout, PAINT_NONE), text_of(driver, "node"),
	       reason ? "not available: " : "available", reason ? json_string_value(reason) : "");
	json_array_foreach (json_object_get(driver, "lacks"), i, lacking)
		printf("  no %s: %s\n", text_of(lacking, "capability"), text_of(lacking, "reason"));
}

static int run(const struct invocation *in)
{
	_cleanup_environment_ struct environment world = {0};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *document, *driver;
	size_t i;

	if (environment_make(in, &world, &err))
		return print_errors(in, err);
	document = version_json(&world.env);
	if (in->json || !document)
		return print_json(in, document);
	printf("ioasidctl %s\n", IOASIDCTL_VERSION);
	json_array_foreach (json_object_get(document, "drivers"), i, driver)
		print_driver(driver);
	json_decref(document);
	return 0;
}

const struct verb verb_version = {
	.name = "version",
	.synopsis = "",
	.help = "Print the version, and what each driver can't do",
	.text = "Lists the drivers of this build in the order in which \"driver: auto\" prefers them, "
		"whether each can be used here by this user, and what it lacks. --version prints "
		"the version alone.",
	.run = run,
};
