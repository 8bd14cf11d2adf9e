// `netkit config`: each value and where it came from.
#include "cli/option_set.hpp"
#include "commands.hpp"

#include <filesystem>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

struct Row {
  std::string command;
  std::string action;
  std::string option;
  std::string value;
  Values::Origin origin;
  std::string where;
};

std::string_view origin_name(Values::Origin origin) {
  switch (origin) {
    case Values::Origin::none:
      return "unset";
    case Values::Origin::default_value:
      return "default";
    case Values::Origin::file:
      return "file";
    case Values::Origin::environment:
      return "environment";
    case Values::Origin::command_line:
      return "command line";
  }
  return {};
}

// The rows of one action; with `all` those too that only have their default or nothing.
void add_rows(std::vector<Row>& rows, const std::string& command, const ActionDef& action,
              const Values& values, bool all) {
  const OptionSet options = effective_options(action);
  for (const OptionDef& option : options.all()) {
    if (option.no_environment) continue;
    const Values::Value& value = *values.find(option.name);
    if (!all && value.origin <= Values::Origin::default_value) continue;
    std::vector<std::string> texts = value.texts;
    if (texts.empty()) texts.emplace_back();
    for (const std::string& text : texts) {
      rows.push_back({command, std::string(action.name), std::string(option.name), text,
                      value.origin, value.where});
    }
  }
}

std::vector<Row> rows_of(App& app, const std::string& command, bool all) {
  std::vector<Row> rows;
  const auto actions = app.plugin(command).actions();
  ParseContext context = app.parse_context(command, actions);
  context.without_arguments = true;
  for (const ActionDef& action : actions) {
    add_rows(rows, command, action, parse(action, {}, context), all);
  }
  return rows;
}

void append_text_row(std::string& out, const Row& row) {
  out += row.command + " " + row.action + " --" + row.option;
  if (row.origin == Values::Origin::none) {
    out += " is not set\n";
    return;
  }
  out += " = " + escaped_text(row.value) + "  (" + std::string(origin_name(row.origin));
  if (!row.where.empty()) out += ": " + escaped_text(row.where);
  out += ")\n";
}

void append_json_row(std::string& out, const Row& row) {
  out += "{\"type\":\"value\"";
  const auto field = [&out](std::string_view name, std::string_view value) {
    out += ",\"" + std::string(name) + "\":";
    append_json_lossy(out, value);
  };
  field("command", row.command);
  field("action", row.action);
  field("option", row.option);
  if (row.origin != Values::Origin::none) field("value", row.value);
  field("origin", origin_name(row.origin));
  if (!row.where.empty()) field("where", row.where);
  out += "}\n";
}

void append_files(std::string& out, const std::vector<std::filesystem::path>& paths, bool json) {
  for (const auto& path : paths) {
    std::error_code missing;
    const bool exists = std::filesystem::exists(path, missing);
    if (json) {
      out += "{\"type\":\"file\",\"path\":";
      append_json_lossy(out, path.string());
      out += exists ? ",\"exists\":true}\n" : ",\"exists\":false}\n";
    } else {
      out += "file " + escaped_text(path.string()) + (exists ? "\n" : " (there is none)\n");
    }
  }
}

std::vector<std::string> commands_to_show(const App& app, const Values& values) {
  if (!values.arguments().empty()) return {values.arguments().front()};
  std::vector<std::string> names;
  for (const CommandSummary& row : plugin_rows(app)) names.push_back(row.name);
  return names;
}

// `--config` after the word means the same as before it.
void take_config_option(App& app, const Values& values) {
  if (values.has("config")) app.use_config(values.text("config"));
}

}  // namespace

int run_config(App& app, const ActionDef&, const Values& values) {
  take_config_option(app, values);
  const bool json = values.flag("json");
  const bool all = !values.arguments().empty();
  if (all && !app.registry().find(values.arguments().front())) {
    refuse_command(app, values.arguments().front());
  }
  std::string out;
  append_files(out, app.config_paths(), json);
  for (const std::string& command : commands_to_show(app, values)) {
    for (const Row& row : rows_of(app, command, all)) {
      json ? append_json_row(out, row) : append_text_row(out, row);
    }
  }
  if (json) out += "{\"type\":\"end\",\"ok\":true}\n";
  print(out);
  return 0;
}

}  // namespace netkit
