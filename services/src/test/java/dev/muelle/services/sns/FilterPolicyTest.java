package dev.muelle.services.sns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.muelle.services.sns.FilterPolicy.Scope;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.sns.model.InvalidParameterException;

/** The examples of AWS's pages on filter policies. */
class FilterPolicyTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'c':['rugby','tennis']}                       | c=rugby         | true",
        "{'c':['rugby','tennis']}                       | c=football      | false",
        "{'c':[{'prefix':'bas'}]}                       | c=baseball      | true",
        "{'c':[{'suffix':'ball'}]}                      | c=baseball      | true",
        "{'c':[{'suffix':'ball'}]}                      | c=rugby         | false",
        "{'c':[{'anything-but':['rugby','tennis']}]}    | c=rugby         | false",
        "{'c':[{'anything-but':['rugby','tennis']}]}    | c=baseball      | true",
        "{'c':[{'anything-but':['rugby']}]}             | d=baseball      | false",
        "{'c':[{'anything-but':{'prefix':'order-'}}]}   | c=order-entry   | false",
        "{'c':[{'anything-but':{'prefix':'order-'}}]}   | c=data-entry    | true",
        "{'c':[{'anything-but':{'suffix':'ball'}}]}     | c=baseball      | false",
        "{'c':[{'equals-ignore-case':'tennis'}]}        | c=TeNNiS        | true",
        "{'c':[{'wildcard':'*ball'}]}                   | c=baseball      | true",
        "{'c':[{'wildcard':'a*b*c'}]}                   | c=axxbyyd       | false",
        "{'c':[{'cidr':'10.0.0.0/24'}]}                 | c=10.0.0.255    | true",
        "{'c':[{'cidr':'10.0.0.0/24'}]}                 | c=10.0.1.0      | false",
        "{'c':[{'exists':true}]}                        | c=x             | true",
        "{'c':[{'exists':false}]}                       | d=x             | true",
        "{'c':[{'exists':false}]}                       | c=x             | false",
        "{'p':[100]}                                    | p=100.00        | true",
        "{'p':[{'numeric':['=',301.5]}]}                | p=301.5         | true",
        "{'p':[{'numeric':['=',301.5]}]}                | p=3.015e2       | true",
        "{'p':[{'numeric':['>',0,'<=',150]}]}           | p=150           | true",
        "{'p':[{'numeric':['>',0,'<=',150]}]}           | p=0             | false",
        "{'p':[{'numeric':['<',0]}]}                    | p=-1            | true",
        "{'p':[{'anything-but':[100,500]}]}             | p=500           | false",
        "{'a':['x'],'c':['y']}                          | a=x             | false",
        "{'a':['x'],'c':['y']}                          | a=x;c=y         | true",
        "{'a':['x'],'$or':[{'c':['y']},{'d':['z']}]}    | a=x;d=z         | true",
        "{'a':['x'],'$or':[{'c':['y']},{'d':['z']}]}    | a=x;d=y         | false",
        "{'i':['rugby']}                                | i=[\"rugby\",1] | true",
        "{'i':[{'anything-but':['rugby']}]}             | i=[\"rugby\"]   | false",
      })
  void attributesAreMatched(String policy, String attributes, boolean passes) {
    Map<String, Attribute> given = new LinkedHashMap<>();
    for (String one : attributes.split(";")) {
      String[] pair = one.split("=", 2);
      String type =
          switch (pair[0]) {
            case "p" -> "Number";
            case "i" -> "String.Array";
            default -> "String";
          };
      given.put(pair[0], new Attribute(type, pair[1]));
    }
    FilterPolicy filter = FilterPolicy.of(policy.replace('\'', '"'), Scope.ATTRIBUTES);
    assertEquals(passes, filter.passes("", given));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'s':{'a':[{'prefix':'x'}]}} | {'s':{'a':'xy'}}       | true",
        "{'s':{'a':['x']}}            | {'s':[{'a':'x'},{}]}   | true",
        "{'s':{'a':[null]}}           | {'s':{'a':null}}       | true",
        "{'s':[true]}                 | {'s':true}             | true",
        "{'s':[true]}                 | {'s':'true'}           | false",
        "{'s':['x']}                  | ['x']                  | false",
        "{'s':['x']}                  | no JSON                | false",
        "{'s':['x']}                  | {'s':'x'} and more     | false",
      })
  void bodiesAreMatched(String policy, String body, boolean passes) {
    FilterPolicy filter = FilterPolicy.of(policy.replace('\'', '"'), Scope.BODY);
    assertEquals(passes, filter.passes(body.replace('\'', '"'), Map.of()));
  }

  @Test
  void whatIsNoPolicyIsRefused() {
    Map<String, String> wrong = new TreeMap<>();
    wrong.put(
        "{'a':{'b':['x']}}",
        "Filter policy scope MessageAttributes does not support nested filter policy");
    wrong.put(
        "{'a':['1'],'b':['1'],'c':['1'],'d':['1'],'e':['1'],'f':['1']}",
        "Filter policy can not have more than 5 keys");
    wrong.put(
        "{'a':[1,2,3,4,5,6],'b':[1,2,3,4,5,6],'c':[1,2,3,4,5]}", "Filter policy is too complex");
    wrong.put("{'a':[{'sounds-like':'x'}]}", "Unrecognized match type sounds-like");
    wrong.put("{'a':'x'}", "\"a\" must be an object or an array");
    wrong.forEach((policy, message) -> {
      String json = policy.replace('\'', '"');
      String said =
          String.valueOf(
              assertThrows(
                      InvalidParameterException.class,
                      () -> FilterPolicy.of(json, Scope.ATTRIBUTES))
                  .getMessage());
      assertEquals(
          "Invalid parameter: FilterPolicy: " + message, said.lines().findFirst().orElse(""));
    });
  }
}
