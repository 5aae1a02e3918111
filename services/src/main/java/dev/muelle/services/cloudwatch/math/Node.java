package dev.muelle.services.cloudwatch.math;

import java.util.List;

/** An expression as it was read. */
sealed interface Node {

  record Literal(double number) implements Node {}

  record Text(String text) implements Node {}

  /** The id of another query. */
  record Reference(String id) implements Node {}

  /** A bare word in capitals, for example {@code REPEAT}. */
  record Word(String word) implements Node {}

  record Negative(Node operand) implements Node {}

  record Binary(Operator operator, Node left, Node right) implements Node {}

  /** {@code [m1, m2]}. */
  record Array(List<Node> elements) implements Node {}

  record Call(String function, List<Node> arguments) implements Node {}
}
