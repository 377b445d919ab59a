#pragma once
// The part of reading a graph that knows nodes: bodies and their names first, so that graphs may
// expand each other, then nodes one by one, then what needs what.

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "flow/graph.h"

namespace lm::flow {

/// What is known of a value before anything runs.
enum class ValueKind : u8 { kAny, kText, kNumber, kList };

class GraphReader {
 public:
  explicit GraphReader(Graph& graph) : graph_(graph) {}
  /// Fills the graph's bodies and fields. Throws Error{kConfig}.
  void read(const text::ConfigNode& root);

 private:
  struct Names {  // what a body's nodes may refer to
    const Body* body;
    bool main = false;
    std::map<std::string, i64> nodes;  // by id: its place in the file
  };
  void read_body(const text::ConfigNode& at, Body& body, bool main);
  void order_nodes(const text::ConfigNode& at, Body& body, std::vector<Node> nodes);
  Node read_node(const text::ConfigNode& at, const Names& names);
  std::unique_ptr<Node> read_inner(const text::ConfigNode& at, const Node& around,
                                   const char* item);
  /// Everything but id and inputs.
  void read_work(const text::ConfigNode& at, Node& node);
  void read_params(const text::ConfigNode* params, Node& node);
  void read_split(const text::ConfigNode* params, Node& node);
  void read_llm(const text::ConfigNode& at, Node& node);
  void read_sampling(const text::ConfigNode& params, LlmSpec& llm);
  void read_parser(const text::ConfigNode& at, LlmSpec& llm);
  void read_form(const text::ConfigNode& at, answer::Form& form);
  void read_body_name(const text::ConfigNode& at, Node& node);
  void read_sources(const text::ConfigNode& at, const Names& names, Node& node);
  Source read_source(const text::ConfigNode& at, const std::string& spelt, const Names& names);
  void check_sources(const text::ConfigNode& at, const Node& node,
                     const std::vector<Node>& nodes) const;
  void check_names(const text::ConfigNode& at, const Node& node) const;
  /// A whole number, or a template that the parameters make one of. what: its key, for messages.
  i64 whole(const text::ConfigNode& at, const char* what, i64 least) const;
  /// The same of 64 bits without a sign.
  u64 seed(const text::ConfigNode& at) const;
  /// What the parameters make of a template, without blanks around it.
  std::string made(const text::ConfigNode& at) const;
  text::Template template_of(const text::ConfigNode& at) const;
  text::Template condition_of(const text::ConfigNode& at) const;

  Graph& graph_;
};

}  // namespace lm::flow
