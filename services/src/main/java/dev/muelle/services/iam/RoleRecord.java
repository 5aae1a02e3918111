package dev.muelle.services.iam;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import software.amazon.awssdk.services.iam.model.Role;

/**
 * A role as stored.
 *
 * @param attached ARNs of managed policies
 * @param inline documents by name
 */
record RoleRecord(Role role, List<String> attached, Map<String, String> inline) {

  /** Keyed by the role's name in lower case: names differ by more than their case. */
  static final Table<RoleRecord> TABLE = Table.of("iam.roles", StoredJson.codec(RoleRecord.class));

  RoleRecord with(UnaryOperator<Role.Builder> change) {
    return new RoleRecord(change.apply(role.toBuilder()).build(), attached, inline);
  }

  RoleRecord withAttached(List<String> arns) {
    return new RoleRecord(role, arns, inline);
  }

  RoleRecord withInline(Map<String, String> documents) {
    return new RoleRecord(role, attached, new LinkedHashMap<>(documents));
  }
}
