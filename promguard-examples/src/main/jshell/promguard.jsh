import dev.promguard.*;
import dev.promguard.blueprint.*;
import dev.promguard.digitalocean.*;
import dev.promguard.keys.*;
import dev.promguard.ssh.*;
import dev.promguard.examples.localcloud.*;
import java.nio.file.*;
import java.time.Duration;
/set mode promguard normal -command
/set format promguard display "{value}{post}" all
/set format promguard post "%n"
/set format promguard pre ""
/set truncation promguard 20000
/set prompt promguard "promguard> " "       ...> "
/set feedback promguard
System.out.println("PromGuard is imported. Try: Mesh.builder().monitor(\"tor1\").nodes(3).blueprint()");
