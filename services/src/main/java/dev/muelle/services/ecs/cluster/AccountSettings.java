package dev.muelle.services.ecs.cluster;

import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import dev.muelle.wire.Caller;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.DeleteAccountSettingRequest;
import software.amazon.awssdk.services.ecs.model.DeleteAccountSettingResponse;
import software.amazon.awssdk.services.ecs.model.ListAccountSettingsRequest;
import software.amazon.awssdk.services.ecs.model.ListAccountSettingsResponse;
import software.amazon.awssdk.services.ecs.model.PutAccountSettingDefaultRequest;
import software.amazon.awssdk.services.ecs.model.PutAccountSettingDefaultResponse;
import software.amazon.awssdk.services.ecs.model.PutAccountSettingRequest;
import software.amazon.awssdk.services.ecs.model.PutAccountSettingResponse;
import software.amazon.awssdk.services.ecs.model.Setting;
import software.amazon.awssdk.services.ecs.model.SettingName;
import software.amazon.awssdk.services.ecs.model.SettingType;

/**
 * What an account, or one of its principals, has chosen of ECS in this region. The account's
 * default is the root user's setting; a principal without a setting of its own has the default.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html">Access
 *     Amazon ECS features with account settings</a>
 */
public final class AccountSettings {

  /** By the principal's ARN and the setting's name. */
  private static final Table<Setting> TABLE =
      Table.of("ecs.account_settings", StoredJson.codec(Setting.class));

  private final Store store;
  private final String root;

  public AccountSettings(Scope scope, Store store) {
    this.store = store;
    root = scope.globalArn("iam", "root");
  }

  /** The value that holds for a principal; null for the account's default. */
  String effective(Tx tx, String name, @Nullable String principal) {
    return own(tx, name, Objects.requireNonNullElse(principal, root))
        .or(() -> own(tx, name, root))
        .map(Setting::value)
        .orElse(SettingRule.of(name).initial());
  }

  /** The value that holds for whoever is calling. */
  String effective(Tx tx, SettingName name) {
    return effective(tx, name.toString(), caller());
  }

  /** The account's default. */
  public String byDefault(SettingName name) {
    return byDefault(name.toString());
  }

  /** The account's default; of a setting by its name, which the SDK may not know. */
  public String byDefault(String name) {
    return store.read(tx -> effective(tx, name, null));
  }

  private static Optional<Setting> own(Tx tx, String name, String principal) {
    return tx.get(TABLE, key(principal, name)).map(Row::value);
  }

  private static String key(String principal, String name) {
    return principal + "#" + name;
  }

  /** A session of a role has the role's settings. */
  private String caller() {
    return Caller.CURRENT.isBound() ? Caller.current().arn() : root;
  }

  public PutAccountSettingResponse put(PutAccountSettingRequest request) {
    String principal = principal(request.principalArn());
    Setting put = put(request.nameAsString(), request.value(), principal);
    return PutAccountSettingResponse.builder().setting(put).build();
  }

  public PutAccountSettingDefaultResponse putDefault(PutAccountSettingDefaultRequest request) {
    Setting put = put(request.nameAsString(), request.value(), root);
    return PutAccountSettingDefaultResponse.builder().setting(put).build();
  }

  private Setting put(@Nullable String asGiven, @Nullable String value, String principal) {
    String known = known(asGiven);
    SettingRule.of(known).check(value);
    Setting setting = setting(known, Objects.requireNonNull(value), principal);
    store.write(tx -> tx.put(TABLE, key(principal, known), setting));
    return setting;
  }

  private static Setting setting(String name, String value, String principal) {
    return Setting.builder()
        .name(name)
        .value(value)
        .principalArn(principal)
        .type(SettingRule.of(name).managed() ? SettingType.AWS_MANAGED : SettingType.USER)
        .build();
  }

  /** Only root may speak for others; here, as IAM allows everything, whoever may call. */
  private String principal(@Nullable String given) {
    if (given == null || given.isEmpty()) {
      return caller();
    }
    String prefix = root.substring(0, root.length() - "root".length());
    boolean ours =
        given.equals(root)
            || given.startsWith(prefix + "user/")
            || given.startsWith(prefix + "role/");
    if (!ours) {
      throw Refuse.invalid("Invalid principalArn: " + given);
    }
    return given;
  }

  private static String known(@Nullable String asGiven) {
    if (asGiven == null || !SettingRule.names().contains(asGiven)) {
      throw Refuse.invalid(
          asGiven == null || asGiven.isEmpty()
              ? "Setting 'name' must be specified."
              : "Invalid setting 'name': " + asGiven);
    }
    return asGiven;
  }

  /** The principal has the account's default again. */
  public DeleteAccountSettingResponse delete(DeleteAccountSettingRequest request) {
    String name = known(request.nameAsString());
    String principal = principal(request.principalArn());
    SettingRule.of(name).checkWritable();
    String value =
        store.write(tx -> {
          tx.delete(TABLE, key(principal, name));
          return effective(tx, name, principal);
        });
    return DeleteAccountSettingResponse.builder().setting(setting(name, value, principal)).build();
  }

  public ListAccountSettingsResponse list(ListAccountSettingsRequest request) {
    String principal = principal(request.principalArn());
    if (request.value() != null && request.name() == null) {
      throw Refuse.invalid("A setting 'name' must be specified with a 'value'.");
    }
    List<String> names =
        request.name() == null ? SettingRule.names() : List.of(known(request.nameAsString()));
    boolean effective = Boolean.TRUE.equals(request.effectiveSettings());
    List<Setting> found = new ArrayList<>();
    store.read(tx -> {
      for (String name : names) {
        Optional<Setting> setting =
            effective
                ? Optional.of(setting(name, effective(tx, name, principal), principal))
                : own(tx, name, principal);
        setting
            .filter(one -> request.value() == null || request.value().equals(one.value()))
            .ifPresent(found::add);
      }
      return found;
    });
    Pages.Page<Setting> page =
        Pages.of(
            found,
            Setting::nameAsString,
            Comparator.naturalOrder(),
            request.nextToken(),
            pageSize(request));
    return ListAccountSettingsResponse.builder()
        .settings(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static @Nullable Integer pageSize(ListAccountSettingsRequest request) {
    Integer size = request.maxResults();
    if (size != null && (size < 1 || size > 10)) {
      throw Refuse.invalid("maxResults must be between 1 and 10.");
    }
    return size;
  }
}
