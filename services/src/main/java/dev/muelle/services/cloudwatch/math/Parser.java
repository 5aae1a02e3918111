package dev.muelle.services.cloudwatch.math;

import dev.muelle.services.cloudwatch.math.Lexer.Kind;
import dev.muelle.services.cloudwatch.math.Lexer.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads metric math, by precedence climbing. */
final class Parser {

  private static final int DEEPEST = 100;

  private final List<Token> tokens;
  private int at;
  private int depth;

  private Parser(String expression) {
    tokens = Lexer.tokens(expression);
  }

  /**
   * Reads an expression.
   *
   * @throws MathException if it is none
   */
  static Node parse(String expression) {
    Parser parser = new Parser(expression);
    Node node = parser.expression(0);
    if (parser.peek().kind() != Kind.END) {
      throw unexpected(parser.peek());
    }
    return node;
  }

  private Node expression(int weakest) {
    if (++depth > DEEPEST) {
      throw new MathException("The expression is nested too deeply");
    }
    Node left = operand();
    for (Optional<Operator> next = operator();
        next.isPresent() && next.get().strength > weakest;
        next = operator()) {
      Operator operator = next.get();
      at++;
      boolean toTheRight = operator == Operator.POWER; // 2^3^2 is 2^9
      left =
          new Node.Binary(
              operator, left, expression(toTheRight ? operator.strength - 1 : operator.strength));
    }
    depth--;
    return left;
  }

  private Optional<Operator> operator() {
    Token token = peek();
    return token.kind() == Kind.SYMBOL || token.kind() == Kind.NAME
        ? Operator.of(token.text())
        : Optional.empty();
  }

  private Node operand() {
    Token token = tokens.get(at++);
    return switch (token.kind()) {
      case NUMBER -> new Node.Literal(Double.parseDouble(token.text()));
      case TEXT -> new Node.Text(token.text());
      case NAME -> named(token.text());
      case SYMBOL ->
          switch (token.text()) {
            case "(" -> {
              Node inner = expression(0);
              expect(")");
              yield inner;
            }
            case "[" -> new Node.Array(list("]"));
            case "-" -> new Node.Negative(expression(Operator.SIGN));
            case "+" -> expression(Operator.SIGN);
            default -> throw unexpected(token);
          };
      case END -> throw unexpected(token);
    };
  }

  private Node named(String name) {
    if (is("(")) {
      at++;
      return new Node.Call(name, list(")"));
    }
    return Character.isUpperCase(name.charAt(0)) ? new Node.Word(name) : new Node.Reference(name);
  }

  private List<Node> list(String end) {
    List<Node> elements = new ArrayList<>();
    if (!is(end)) {
      elements.add(expression(0));
      while (is(",")) {
        at++;
        elements.add(expression(0));
      }
    }
    expect(end);
    return elements;
  }

  private boolean is(String symbol) {
    return peek().kind() == Kind.SYMBOL && peek().text().equals(symbol);
  }

  private void expect(String symbol) {
    if (!is(symbol)) {
      throw unexpected(peek());
    }
    at++;
  }

  private Token peek() {
    return tokens.get(at);
  }

  private static MathException unexpected(Token token) {
    return new MathException("Syntax error at '" + token.text() + "'");
  }
}
