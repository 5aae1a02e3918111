package dev.muelle.services.cloudwatchlogs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException;

/**
 * The examples of AWS's page on filter patterns, and what is near them.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html">Filter
 *     pattern syntax</a>
 */
class FilterPatternTest {

  private static final String E400 = "[ERROR 400] BAD REQUEST";
  private static final String E401 = "[ERROR 401] UNAUTHORIZED REQUEST";
  private static final String E419 = "[ERROR 419] MISSING ARGUMENTS";
  private static final String E420 = "[ERROR 420] INVALID ARGUMENTS";
  private static final String E500 = "[ERROR 500] INTERNAL SERVER ERROR";
  private static final String INFO = "[INFO] REQUEST FAILED";
  private static final String OK = "[SUCCESS 200] AUTHORIZED REQUEST";

  private static final String TRAIL =
      """
      {"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111",
       "arrayKey":["value","another value"],
       "objectList":[{"name":"a","id":1},{"name":"b","id":2}],
       "SomeObject":null,"cluster.name":"c","ThisFlag":true,"ThatFlag":false}
      """;

  private static final String USERS =
      """
      {"user":{"id":1,"email":"John.Stiles@example.com"},
       "users":[{"id":2,"email":"John.Doe@example.com"},{"id":3,"email":"Jane.Doe@example.com"}],
       "actions":["GET","PUT","DELETE"],
       "coordinates":[[0,1,2],[4,5,6],[7,8,9]]}
      """;

  private static final String NUMBERS =
      """
      {"bandwidth":80,"latency":10.5,"refreshRate":60,"responseTime":5,"errorCode":400,
       "number":[1000,0.5],"big":9007199254740993,"negative":-4,"code":"404","zero":0.0}
      """;

  private static final String ACCESS =
      "127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";

  private static final String GET = "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200";
  private static final String POST =
      "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310";
  private static final String WARNING = "WARNING 09/25/2014 12:00:02 Invalid user request";
  private static final String ERROR = "ERROR 09/25/2014 12:00:02 Failed to process request";

  private record Row(String pattern, List<String> matched, List<String> left) {}

  private static Row row(String pattern, List<String> matched, String... left) {
    return new Row(pattern, matched, List.of(left));
  }

  private static Row yes(String pattern, String... matched) {
    return new Row(pattern, List.of(matched), List.of());
  }

  private static Row no(String pattern, String... left) {
    return new Row(pattern, List.of(), List.of(left));
  }

  private static final List<Row> TERMS =
      List.of(
          yes("", E400, "", " "),
          yes("\"\"", E400, "x"),
          yes("\" \"", E400, "x"),
          row("ERROR", List.of(E400, E401, E419, E420, "ERRORCODE: -1"), INFO, "error"),
          row("ERROR ARGUMENTS", List.of(E419, E420), E400, E401),
          row("?ERROR ?ARGUMENTS", List.of(E400, E401, E419, "no ARGUMENTS"), INFO),
          // Question marks beside other terms have no effect.
          row("?ERROR ?ARGUMENTS REQUEST", List.of(INFO, E400, E401), E419),
          row("?ERROR -REQUEST", List.of(E419, "anything"), E400),
          row("\"INTERNAL SERVER ERROR\"", List.of(E500), "INTERNAL ERROR SERVER"),
          row("ERROR -ARGUMENTS", List.of(E400, E401), E419, E420, INFO),
          row("\"ERROR\" - \"Exiting\"", List.of(E400), "Exiting with ERRORCODE: -1"),
          row("-ERROR", List.of(INFO), E400),
          row("-\"BAD REQUEST\" ERROR", List.of(E401), E400),
          row("?\"BAD REQUEST\" ?FAILED", List.of(E400, INFO), E401),
          row("\"a\\\"b\"", List.of("x a\"b y"), "ab", "a\\\"b"),
          row("\"a\\\\b\"", List.of("a\\b"), "ab"),
          row("\"tab\\n\"", List.of("tab\\n"), "tab\n"),
          row("\"ñandú 🚢\"", List.of("el ñandú 🚢 zarpa"), "el nandu"),
          row("snake_case 42", List.of("snake_case=42"), "snake case 42"));

  private static final List<Row> EXPRESSIONS =
      List.of(
          row("%AUTHORIZED%", List.of(E401, OK), E400),
          row("%^[hc]at%", List.of("hat", "cats"), "a cat"),
          row("%[hc]at$%", List.of("hat", "a cat"), "cats"),
          row("%colou?r%", List.of("color", "colour"), "colouur"),
          row("%[abcx-z]%", List.of("b", "y"), "d", "B"),
          row("%a{3,5}%", List.of("aaa", "aaaaa"), "aa"),
          row("%^a{3, 5}$%", List.of("aaaa"), "aa", "aaaaaa"),
          row("%^a{,2}$%", List.of("", "a", "aa"), "aaa"),
          row("%^a{2,}$%", List.of("aa", "aaaaa"), "a"),
          row("%gra|ey%", List.of("gray", "grey"), "groy"),
          row(
              "%^starting|^initializing|^shutting down%",
              List.of("starting ...", "initializing ...", "shutting down"),
              "skipping initializing ..."),
          row("%abcc|ab[^c]$%", List.of("abcc ...", "aba"), "aac ..."),
          row("%\\[.\\]%", List.of("[a]", "[7]", "[@]", "[ ]"), "a", "[]"),
          row("%10\\.10\\.0\\.1%", List.of("from 10.10.0.1"), "10010,051"),
          row("%10.10.0.1%", List.of("10010,051")),
          row("%ab*c%", List.of("ac", "abc", "abbbc"), "ab"),
          row("%ab[0-9]*%", List.of("ab", "ab0", "ab129"), "a1"),
          row("%ab+c%", List.of("abc", "abbbc"), "ac"),
          row("%.at%", List.of("hat", "4at", "#at", " at"), "at"),
          row("%^\\d+$%", List.of("42"), "4 2", "٤"),
          row("%^\\D+$%", List.of("ab"), "a1"),
          row("%\\s%", List.of("a b", "a\tb"), "ab"),
          row("%^\\w+$%", List.of("a_1"), "a-1"),
          row("%\\W%", List.of("a-1"), "a_1"),
          row("%\\x3A%", List.of("a:b"), "ab"),
          row("%\\x28%", List.of("f("), "f"));

  private static final List<Row> JSON =
      List.of(
          yes("{ $.eventType = \"UpdateTrail\" }", TRAIL),
          yes("{$.eventType=UpdateTrail}", TRAIL),
          no("{ $.eventType = \"Update\" }", TRAIL),
          yes("{ $.eventType = \"Update*\" }", TRAIL),
          yes("{ $.eventType = *Trail }", TRAIL),
          yes("{ $.eventType = \"*date*\" }", TRAIL),
          yes("{ $.eventType = * }", TRAIL),
          no("{ $.nothing = * }", TRAIL),
          no("{ $.eventType = Up*Trail }", TRAIL, "{\"eventType\":\"UpXTrail\"}"),
          yes("{ $.eventType = Up*Trail }", "{\"eventType\":\"Up*Trail\"}"),
          yes("{ $.sourceIPAddress != 123.123.* }", TRAIL),
          no("{ $.sourceIPAddress != 111.111.* }", TRAIL),
          yes("{ $.arrayKey[0] = \"value\" }", TRAIL),
          no("{ $.arrayKey[1] = \"value\" }", TRAIL),
          no("{ $.arrayKey[2] = * }", TRAIL),
          no("{ $.eventType[0] = \"U\" }", TRAIL),
          yes("{ $.objectList[1].id = 2 }", TRAIL),
          no("{ $.objectList[1].nothing = 2 }", TRAIL),
          yes("{ $.eventType = %Trail% }", TRAIL),
          no("{ $.eventType != %Trail% }", TRAIL),
          yes("{ $.arrayKey[*] = %val.{2}% }", TRAIL),
          yes("{ $.arrayKey[*] = \"another value\" }", TRAIL),
          no("{ $.arrayKey[*] = \"a third\" }", TRAIL),
          yes("{ $.objectList[*].name = b }", TRAIL),
          yes("{ $.* = %111\\.111\\.111\\.1[0-9]{1,2}% }", TRAIL),
          yes("{ $.['cluster.name'] = \"c\" }", TRAIL),
          yes("{ $['cluster.name'] = \"c\" }", TRAIL),
          no("{ $.cluster.name = \"c\" }", TRAIL),
          yes("{ $.SomeObject IS NULL }", TRAIL),
          no("{ $.SomeOtherObject IS NULL }", TRAIL),
          no("{ $.eventType IS NULL }", TRAIL),
          yes("{ $.SomeOtherObject NOT EXISTS }", TRAIL),
          no("{ $.SomeObject NOT EXISTS }", TRAIL),
          yes("{ $.ThisFlag IS TRUE && $.ThatFlag IS FALSE }", TRAIL),
          no("{ $.ThisFlag IS FALSE || $.ThatFlag IS TRUE }", TRAIL),
          no("{ $.eventType IS TRUE }", TRAIL, "{\"eventType\":\"TRUE\"}"),
          // A selector that meets an array, an object or null satisfies neither = nor !=.
          no("{ $.users = 1 }", USERS),
          no("{ $.users != 1 }", USERS),
          no("{ $.user != 1 }", USERS),
          no("{ $.SomeObject != 1 }", TRAIL),
          no("{ $.missing != 1 }", TRAIL),
          yes("{ ($.user.id = 1) && ($.users[0].email = \"John.Doe@example.com\") }", USERS),
          no(
              "{ ($.user.id = 2 && $.users[0].email = \"nonmatch\") || $.actions[2] = \"GET\" }",
              USERS),
          yes(
              "{ $.user.email = \"John.Stiles@example.com\" || $.coordinates[0][1] = nonmatch"
                  + " && $.actions[2] = nomatch }",
              USERS),
          no(
              "{ ($.user.email = \"John.Stiles@example.com\" || $.coordinates[0][1] = nonmatch)"
                  + " && $.actions[2] = nomatch }",
              USERS),
          yes("{ $.coordinates[1][2] = 6 }", USERS),
          yes("{ $.bandwidth > 75 }", NUMBERS),
          yes("{ $.latency < 50 }", NUMBERS),
          yes("{ $.refreshRate >= 60 }", NUMBERS),
          yes("{ $.responseTime <= 5 }", NUMBERS),
          yes("{ $.errorCode = 400}", NUMBERS),
          yes("{ $.errorCode != 500 }", NUMBERS),
          yes("{ $.number[0] = 1e+3 }", NUMBERS),
          yes("{ $.number[0] != 1e-3 }", NUMBERS),
          yes("{ $.number[1] < 10e-1 }", NUMBERS),
          yes("{ $.bandwidth > +7.5 }", NUMBERS),
          yes("{ $.negative = -4 && $.negative < -3.9 }", NUMBERS),
          yes("{ $.errorCode = 4* }", NUMBERS),
          no("{ $.errorCode = 5* }", NUMBERS),
          yes("{ $.zero = 0 }", NUMBERS),
          yes("{ $.big = 9007199254740993 }", NUMBERS),
          no("{ $.big = 9007199254740992 }", NUMBERS),
          yes("{ $.code = 404 }", NUMBERS),
          yes("{ $.code = \"404\" }", NUMBERS),
          no("{ $.code > 400 }", NUMBERS),
          no("{ $.bandwidth > 80 }", NUMBERS),
          row(
              "{$.foo = bar || $.foo = baz}",
              List.of("{\"foo\":\"bar\"}", "{\"foo\":\"baz\"}"),
              "{\"foo\":\"ba\"}"),
          yes("{ $.detail-type = \"x\" && $.a_b = 1 }", "{\"detail-type\":\"x\",\"a_b\":1}"),
          yes("{ $[0].a = 1 }", "[{\"a\":1}]"),
          no("{ $.a = * }", "not json", "{\"a\":1", "{\"a\":1} {\"a\":2}", "\"a\"", "1", ""));

  private static final List<Row> COLUMNS =
      List.of(
          yes("[ip, user, username, timestamp, request, status_code, bytes]", ACCESS),
          yes(
              "[ip=%127\\.0\\.0\\.[1-9]%, user, username, timestamp, request =*.html*,"
                  + " status_code = 4*, bytes]",
              ACCESS),
          yes("[..., request =*.html*, status_code = 4*, bytes]", ACCESS),
          yes("[..., request=*.html*, status_code=4*,]", ACCESS),
          yes(
              "[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code ="
                  + " 410, bytes]",
              ACCESS),
          yes("[..., status_code, bytes > 1000]", ACCESS),
          no("[..., status_code, bytes > 1534]", ACCESS),
          yes("[ip, user, ..., status_code=4* && status_code!=403, bytes >= 1.534e3]", ACCESS),
          no("[ip, user, ..., status_code=4* && status_code!=404, bytes]", ACCESS),
          yes("[ip, user, ...]", ACCESS),
          yes("[...]", ACCESS, "", "x"),
          yes("[ip, user = Prod, ...]", ACCESS),
          yes("[, user = Prod, ...]", ACCESS),
          yes("[a, b, c, t = \"10/Oct/2000*\", ...]", ACCESS),
          yes("[a, b, c, t, r = \"GET /index.html HTTP/1.0\", ...]", ACCESS),
          no("[a, b, c, d, e, f, g, h]", ACCESS),
          no("[a, b, c, d, ..., w, x, y, z]", ACCESS),
          row("[w1=ERROR, w2]", List.of(ERROR, "ERROR message"), WARNING, GET, "ERROR"),
          no("[w1=ERROR]", ERROR),
          row("[w1=ERROR || w1=WARNING, w2]", List.of(ERROR, WARNING), GET, POST),
          row("[w1!=ERROR && w1!=WARNING, w2]", List.of(GET, POST), ERROR, WARNING),
          row(
              "[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]",
              List.of(GET), POST, WARNING),
          row(
              "[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%,"
                  + " response_time]",
              List.of(POST), GET),
          yes("[a, b = \"unclosed\", c]", "x \"unclosed\" y"),
          yes("[a, b = \"[open\", c]", "x [open y"));

  private static Stream<DynamicTest> run(List<Row> rows) {
    return rows.stream()
        .map(row ->
            DynamicTest.dynamicTest(
                "pattern " + row.pattern(),
                () -> {
                  FilterPattern pattern = FilterPattern.parse(row.pattern());
                  for (String message : row.matched()) {
                    assertTrue(pattern.matches(message), "should match: " + message);
                  }
                  for (String message : row.left()) {
                    assertTrue(!pattern.matches(message), "should not match: " + message);
                  }
                }));
  }

  @TestFactory
  Stream<DynamicTest> terms() {
    return run(TERMS);
  }

  @TestFactory
  Stream<DynamicTest> regularExpressions() {
    return run(EXPRESSIONS);
  }

  @TestFactory
  Stream<DynamicTest> json() {
    return run(JSON);
  }

  @TestFactory
  Stream<DynamicTest> columns() {
    return run(COLUMNS);
  }

  private record Wrong(String pattern, String message) {}

  @TestFactory
  Stream<DynamicTest> refused() {
    String tooMany = "{ $.a = %a% && $.b = %b% && $.c = %c% }";
    return Stream.of(
            new Wrong("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
            new Wrong("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
            new Wrong("{", "If a filter pattern starts with '{' it must end with '}'"),
            new Wrong("x-forwarded-for", "Invalid character(s) in term '-'"),
            new Wrong("a:b", "Invalid character(s) in term ':'"),
            new Wrong("(x)", "Invalid character(s) in term '('"),
            new Wrong("\"open", "Invalid character(s) in term '\"'"),
            new Wrong("-", "Invalid filter pattern"),
            new Wrong("a ?", "Invalid filter pattern"),
            new Wrong("a -\"\"", "Invalid character(s) in term '-'"),
            new Wrong("ñ", "Invalid character(s) in term 'ñ'"),
            new Wrong("%something!%", "Invalid character(s) in term '!'"),
            new Wrong("%(a)%", "Invalid character(s) in term '('"),
            new Wrong("%ñ%", "Invalid character(s) in term 'ñ'"),
            new Wrong("%open", "Invalid character(s) in term '%'"),
            new Wrong("%%", "Invalid filter pattern"),
            new Wrong("%a% b", "Invalid filter pattern"),
            new Wrong("%[a%", "Invalid filter pattern: invalid regular expression"),
            new Wrong("%*a%", "Invalid filter pattern: invalid regular expression"),
            new Wrong("%a\\b%", "Invalid character(s) in term '\\'"),
            new Wrong("%\\xZZ%", "Invalid character(s) in term '\\'"),
            new Wrong("%a\\%", "Invalid character(s) in term '\\'"),
            new Wrong("{}", "Invalid filter pattern"),
            new Wrong("{ }", "Invalid filter pattern"),
            new Wrong("{ a = 1 }", "Invalid character(s) in term 'a'"),
            new Wrong("{ $ = 1 }", "Invalid filter pattern"),
            new Wrong("{ $. = 1 }", "Invalid character(s) in term ' '"),
            new Wrong("{ $.\"detail-type\" = 1 }", "Invalid character(s) in term '\"'"),
            new Wrong("{ $.a }", "Invalid filter pattern"),
            new Wrong("{ $.a = }", "Invalid filter pattern"),
            new Wrong("{ $.a == 1 }", "Invalid character(s) in term '='"),
            new Wrong("{ $.a = @x }", "Invalid character(s) in term '@'"),
            new Wrong("{ $.a > x }", "Invalid filter pattern"),
            new Wrong("{ $.a > \"1\" }", "Invalid filter pattern"),
            new Wrong("{ $.a > %1% }", "Invalid filter pattern"),
            new Wrong("{ $.a IS NOT NULL }", "Invalid filter pattern"),
            new Wrong("{ $.a EXISTS }", "Invalid filter pattern"),
            new Wrong("{ $.a = 1 && }", "Invalid filter pattern"),
            new Wrong("{ ($.a = 1 }", "Invalid filter pattern"),
            new Wrong("{ $.a = 1) }", "Invalid character(s) in term ')'"),
            new Wrong("{ $.a = 1 $.b = 2 }", "Invalid character(s) in term '$'"),
            new Wrong("{ $.a[x] = 1 }", "Invalid filter pattern"),
            new Wrong("{ $.a[-1] = 1 }", "Invalid character(s) in term '-'"),
            new Wrong("{ $.a[99999999999] = 1 }", "Invalid filter pattern"),
            new Wrong("{ $.*.* = 1 }", "Invalid filter pattern"),
            new Wrong("{ $.* = 1 || $.* = 2 || $.* = 3 || $.* = 4 }", "Invalid filter pattern"),
            new Wrong(tooMany, "A filter pattern can have at most 2 regular expression(s)."),
            new Wrong("[..., a, ...]", "Invalid filter pattern"),
            // A condition on another column than the one that it stands in.
            new Wrong("[a, status = 4* && bytes > 1000]", "Invalid filter pattern"),
            new Wrong("[w1=!ERROR, w2]", "Invalid character(s) in term '!'"),
            new Wrong("[a b]", "Invalid character(s) in term 'b'"))
        .map(wrong ->
            DynamicTest.dynamicTest(
                "pattern " + wrong.pattern(),
                () ->
                    assertEquals(
                        wrong.message(),
                        assertThrows(
                                InvalidParameterException.class,
                                () -> FilterPattern.parse(wrong.pattern()))
                            .getMessage())));
  }

  @Test
  void aPatternHasAtMost1024Characters() {
    FilterPattern.parse("a".repeat(1024));
    String message =
        assertThrows(InvalidParameterException.class, () -> FilterPattern.parse("a".repeat(1025)))
            .getMessage();
    assertTrue(message.endsWith("Member must have length less than or equal to 1024"), message);
  }

  /** Patterns that hold up engines that go back and try again. */
  @Test
  void noExpressionHoldsASearchUp() {
    String text = "a".repeat(100_000);
    for (String hostile : List.of("%a*a*a*a*a*a*a*a*b%", "%a{1,100}a{1,100}a{1,100}b%")) {
      FilterPattern pattern = FilterPattern.parse(hostile);
      assertTrue(!pattern.matches(text)); // an hour, if it went back
    }
  }

  @Test
  void hostileJsonIsNotMatchedAndDoesNoHarm() {
    FilterPattern any = FilterPattern.parse("{ $.a > 1 || $.a[0] = * || $.* = * }");
    assertTrue(!any.matches("[".repeat(500_000)));
    assertTrue(!any.matches("{\"a\":".repeat(100_000)));
    assertTrue(any.matches("{\"a\":1e999999999}"));
    assertTrue(!FilterPattern.parse("{ $.a < 1e-999999999 }").matches("{\"a\":1e999999999}"));
  }

  /** Whatever is written as a pattern, it is one or it is refused. */
  @Test
  void garbageIsRefusedInOneWayOnly() {
    Random random = new Random(20260921);
    String alphabet = "ab1 $.[]{}()*%\"'\\=!<>&|,-?+_^:@ñ";
    List<String> messages = List.of("", "ab 1", TRAIL, ACCESS, "[1]", "{\"a\":[1,{\"b\":null}]}");
    int read = 0;
    List<String> starts = new ArrayList<>(List.of("", "{ $.a", "[a", "%"));
    List<String> ends = List.of("", " }", "]", "%");
    for (int i = 0; i < 20_000; i++) {
      int kind = i % 4;
      StringBuilder text = new StringBuilder(starts.get(kind));
      IntStream.range(0, random.nextInt(12))
          .forEach(j -> text.append(alphabet.charAt(random.nextInt(alphabet.length()))));
      text.append(ends.get(kind));
      try {
        FilterPattern pattern = FilterPattern.parse(text.toString());
        messages.forEach(message -> assertNeeds(pattern, message));
        read++;
      } catch (InvalidParameterException e) {
        assertTrue(e.getMessage() != null && !e.getMessage().isEmpty(), text.toString());
      }
    }
    assertTrue(read > 200, "only " + read + " were patterns");
  }

  /** What a search looks for first must be in whatever matches. */
  private static void assertNeeds(FilterPattern pattern, String message) {
    if (pattern.matches(message)) {
      boolean disguised = !pattern.disguise().isEmpty() && message.contains(pattern.disguise());
      assertTrue(
          disguised || pattern.needs().stream().allMatch(message::contains),
          () -> pattern.needs() + " in " + message);
    }
  }

  @Test
  void whatMatchesHasWhatThePatternNeeds() {
    for (List<Row> rows : List.of(TERMS, EXPRESSIONS, JSON, COLUMNS)) {
      for (Row row : rows) {
        FilterPattern pattern = FilterPattern.parse(row.pattern());
        row.matched().forEach(message -> assertNeeds(pattern, message));
      }
    }
    assertNeeds(FilterPattern.parse("{ $.a = \"xy\" }"), "{\"\\u0061\":\"x\\u0079\"}");
    assertNeeds(FilterPattern.parse("{ $.a = %12% }"), "{\"a\":1.2e1}");
    assertNeeds(FilterPattern.parse("{ $.a = *rue }"), "{\"a\":true}");
  }

  @Test
  void aPatternTellsWhatItNeeds() {
    assertEquals(List.of("\"level\"", "FATAL"), needs("{ $.level = \"FATAL\" }"));
    assertEquals(
        List.of("\"a\"", "\"b c\"", "x-y", "z"), needs("{ $.a[0]['b c'] = \"*x-y\\\"z/1\" }"));
    assertEquals(List.of("\"a\"", "\"b\""), needs("{ $.a = 1 && $.b IS TRUE }"));
    assertEquals(List.of("\"a\""), needs("{ $.a = \"x\" || $.a = \"y\" }"));
    assertEquals(List.of(), needs("{ $.a NOT EXISTS }"));
    assertEquals(List.of("\"a\""), needs("{ $.a != \"x\" }"));
    assertEquals(
        List.of("req-", " took "), needs("%^req-[0-9a-f]{8} took \\d+ms?$%").subList(0, 2));
    assertEquals(List.of("ab", "d"), needs("%abc?d{2}e*%"));
    assertEquals(List.of(), needs("%ab|cd%"));
    assertEquals(List.of(), needs("%[[:alpha:]]b%"), "no guesses");
    assertEquals(List.of("GET"), needs("[ip, request = \"*GET*\", status = 404]"));
  }

  private static List<String> needs(String pattern) {
    return FilterPattern.parse(pattern).needs();
  }
}
