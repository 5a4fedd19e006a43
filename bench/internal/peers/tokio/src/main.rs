// An echo server on tokio's current-thread runtime, a task for each connection.
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn echo(mut s: TcpStream) -> std::io::Result<()> {
    s.set_nodelay(true)?;
    let mut buf = Vec::with_capacity(64 << 10);
    while s.read_buf(&mut buf).await? > 0 {
        s.write_all(&buf).await?;
        buf.clear();
    }
    Ok(())
}

async fn serve() -> std::io::Result<()> {
    let ln = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", ln.local_addr()?);
    loop {
        let (s, _) = ln.accept().await?;
        tokio::spawn(echo(s));
    }
}

fn main() -> std::io::Result<()> {
    let rt = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    rt.block_on(serve())
}
